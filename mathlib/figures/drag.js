// The figure that you drag: MAML's and FOMAML's gradients where you put the start θ₀.
//
// Support loss, the same in every inner step:  L(x, y) = (1 − x)² + (y − x²)²
// Query loss:                                  Q(θ) = ½ |θ − c|²,  c = (0, 1)
// Meta-loss:                                   M(θ₀) = Q(θ_K)
// A vector is an array of two numbers. Nothing is loaded: one ES module, inlined where the figure stands.

const c = [0, 1];
const WINDOW = { x: [-1.8, 1.4], y: [-0.4, 2] };
const START = { x: [-1.6, 1.2], y: [-0.2, 1.8] }; // where θ₀ may be put: its arrows need room
const RING = 0.25; // contours of M lie where θ_K is at 0.25, 0.5, … 2 from c
const RINGS = 8;
const STEP = 0.1; // the length of the steps that the words compare
const SCALE = 0.8; // a gradient of length 1 is an arrow of this length
const LONGEST = 1.2; // a longer arrow is drawn shortened, and the words say so
const FAR = 100; // an inner loop that gets further from c than this runs away

// ---- the mathematics

const minus = (u, s, v) => [u[0] - s * v[0], u[1] - s * v[1]]; // u − s v
const length = (u) => Math.hypot(u[0], u[1]);

const gradientL = ([x, y]) => [-2 * (1 - x) - 4 * x * (y - x * x), 2 * (y - x * x)];
const hessianLTimes = ([x, y], [p, q]) => [(2 - 4 * y + 12 * x * x) * p - 4 * x * q, -4 * x * p + 2 * q];
const Q = (theta) => length(minus(theta, 1, c)) ** 2 / 2;
const gradientQ = (theta) => minus(theta, 1, c);

export function innerLoop(theta, alpha, K) {
  const path = [theta];
  for (let i = 1; i <= K; i++) path[i] = minus(path[i - 1], alpha, gradientL(path[i - 1]));
  return path;
}

export const metaLoss = (theta, alpha, K) => Q(innerLoop(theta, alpha, K)[K]);

// The way back, last step first: v_K = ∇Q(θ_K), then v_{i−1} = (I − α H_{i−1}) v_i.
export function adjointsOf(path, alpha) {
  const K = path.length - 1;
  const v = [];
  v[K] = gradientQ(path[K]);
  for (let i = K; i >= 1; i--) v[i - 1] = minus(v[i], alpha, hessianLTimes(path[i - 1], v[i]));
  return v;
}

export function angleBetween(u, v) {
  const degrees = (180 / Math.PI) * Math.atan2(Math.abs(u[0] * v[1] - u[1] * v[0]), u[0] * v[0] + u[1] * v[1]);
  return length(u) && length(v) ? degrees : null;
}

// Everything that the figure shows and says, from θ₀, α and K.
export function state(theta, alpha, K) {
  const path = innerLoop(theta, alpha, K);
  const adjoints = adjointsOf(path, alpha);
  const maml = adjoints[0];
  const fomaml = adjoints[K];
  const after = (g) => metaLoss(minus(theta, STEP / length(g), g), alpha, K);
  return {
    theta, alpha, K, path, adjoints, maml, fomaml,
    ranAway: path.findIndex((point) => !(length(minus(point, 1, c)) <= FAR)), // −1 where it does not
    angle: angleBetween(maml, fomaml),
    lengths: [length(maml), length(fomaml)],
    metaLoss: Q(path[K]),
    afterMaml: after(maml),
    afterFomaml: after(fomaml),
  };
}

// Contours of M: M on a grid, each cell cut into two triangles, M taken as linear on each.
// Returns [level, x1, y1, x2, y2] for each piece of a contour.
export function contours(alpha, K, columns = 72, rows = 54) {
  const [left, right] = WINDOW.x;
  const [low, high] = WINDOW.y;
  const grid = [];
  for (let j = 0; j <= rows; j++) {
    grid[j] = [];
    for (let i = 0; i <= columns; i++) {
      const theta = [left + ((right - left) * i) / columns, low + ((high - low) * j) / rows];
      const M = metaLoss(theta, alpha, K);
      grid[j][i] = [...theta, M, Math.floor(Math.sqrt(2 * M) / RING)]; // the last: how many contours lie below
    }
  }
  const pieces = [];
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      cut([grid[j][i], grid[j + 1][i + 1], grid[j][i + 1]], pieces);
      cut([grid[j][i], grid[j + 1][i + 1], grid[j + 1][i]], pieces);
    }
  }
  return pieces;
}

function cut(triangle, pieces) {
  if (triangle[0][3] === triangle[1][3] && triangle[1][3] === triangle[2][3]) return;
  const [low, middle, high] = triangle.sort((p, q) => p[2] - q[2]);
  if (!(high[3] - low[3] <= 3)) return; // too steep for this grid, or not finite: nothing is drawn
  for (let n = low[3] + 1; n <= Math.min(high[3], RINGS); n++) {
    const level = (n * RING) ** 2 / 2;
    const [from, to] = level <= middle[2] ? [low, middle] : [middle, high];
    pieces.push([level, ...between(low, high, level), ...between(from, to, level)]);
  }
}

function between(p, q, level) {
  const t = (level - p[2]) / (q[2] - p[2]);
  return [p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])];
}

// ---- the words

const subscript = (n) => String(n).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);
const withMinus = (text) => text.replace(/-/g, "−");
const number = (x) => withMinus(x !== 0 && (x < 5e-4 || x >= 1e4) ? x.toExponential(1) : x.toFixed(x < 10 ? 3 : 0));
const point = ([x, y]) => withMinus(`(${x.toFixed(2)}, ${y.toFixed(2)})`);

function change(before, after) {
  if (number(before) === number(after)) return `leaves it at ${number(after)}`;
  return after < before ? `lowers it to ${number(after)}` : `raises it to ${number(after)}`;
}

// What the figure says, sentence by sentence.
export function words(s, withAdjoints = false) {
  if (s.ranAway >= 0) {
    return [
      `From ${point(s.theta)} with α = ${s.alpha} the inner loop runs away: after ${s.ranAway} of ${s.K} steps it is`
        + ` more than ${FAR} from the minimum of Q.`,
      "There is no arrow to draw. Take a smaller α, fewer steps, or another start.",
    ];
  }
  const [g, v] = s.lengths.map(number);
  const apart = s.angle === null ? "no angle, one gradient is 0" : `${s.angle.toFixed(0)}° apart`;
  const shortened = s.lengths.some((size) => SCALE * size > LONGEST) ? " The longest arrow is drawn shortened." : "";
  const uphill = s.angle > 90 ? " FOMAML’s arrow leads uphill, at first." : "";
  const said = [`MAML and FOMAML: ${apart}.${uphill}`, `Lengths of the gradients: ${g} and ${v}.${shortened}`];
  if (s.angle === null) {
    said.push(`M is ${number(s.metaLoss)} here.`);
  } else {
    said.push(
      `M is ${number(s.metaLoss)} here. A step of ${STEP} along MAML’s arrow ${change(s.metaLoss, s.afterMaml)},`
        + ` one along FOMAML’s ${change(s.metaLoss, s.afterFomaml)}.`,
    );
  }
  if (withAdjoints) {
    const sizes = s.adjoints.map((u, i) => `|v${subscript(i)}|\u2060\u00a0=\u00a0${number(length(u))}`).reverse();
    said.push(`Adjoints, from the end back to the start: ${sizes.join(", ")}.`);
  }
  return said;
}

// ---- the page

// Text is 16 px or more, and as large as a page with --drag-type asks for; the picture grows with it. MAML is blue and solid, FOMAML vermilion and dashed, as in every picture. Everything else
// takes the page's own colour of text, so the figure is as light or dark as the page.
const STYLE = `
  :host { display: block; --maml: #0072B2; --fomaml: #D55E00; max-width: 1200px; margin: 8px 0;
    container-type: inline-size; font-size: var(--drag-type, 16px); line-height: 1.4; text-align: left;
    --paper: var(--jp-layout-color0, var(--pst-color-background, Canvas)); }
  .all { display: flex; flex-wrap: wrap; gap: 4px 20px; max-width: 860px; }
  .stage { flex: 5 1 330px; max-width: 560px; min-width: 0; }
  .controls { flex: 2 1 230px; max-width: 560px; padding-top: 4px; }
  .words { flex: 1 1 100%; margin: 0; min-height: 4.2em; font-size: 1.06em; }
  .words b { font-weight: 600; }
  p { margin: 0 0 10px; }
  svg { display: block; font-size: 16px; overflow: hidden; touch-action: pan-y; user-select: none; -webkit-user-select: none;
    cursor: crosshair; font-family: inherit; }
  text { fill: currentColor; paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
  .frame, .contours { fill: none; stroke: currentColor; }
  .frame { opacity: .6; }
  .contours { opacity: .4; vector-effect: non-scaling-stroke; }
  .inner { fill: none; stroke: currentColor; stroke-width: 1.5px; }
  .dot { fill: currentColor; }
  .maml { --line: var(--maml); } .fomaml { --line: var(--fomaml); }
  .shaft { stroke: var(--line); stroke-width: 4px; fill: none; }
  .fomaml .shaft { stroke-dasharray: 9 5; }
  .thin .shaft { stroke-width: 2px; }
  .head { fill: var(--line); }
  .maml text, .fomaml text { fill: color-mix(in srgb, var(--line) 75%, currentColor); }
  .name { font-weight: 700; font-size: 19px; }
  .handle { cursor: grab; touch-action: none; outline: none; }
  .handle:active { cursor: grabbing; }
  .hit { fill: transparent; }
  .knob { fill: var(--paper); stroke: currentColor; stroke-width: 3.5px; }
  .halo { fill: currentColor; opacity: .14; transform-box: fill-box; transform-origin: center; }
  .fresh .halo { animation: invite 1.6s ease-in-out infinite; }
  @keyframes invite { 50% { transform: scale(1.35); opacity: .3; } }
  @media (prefers-reduced-motion: reduce) { .fresh .halo { animation: none; } }
  .ring { fill: none; stroke: currentColor; stroke-width: 3px; visibility: hidden; }
  .handle:focus-visible .ring { visibility: visible; }
  label { display: block; margin: 0 0 10px; min-height: 24px; }
  input { accent-color: var(--maml); margin: 0; vertical-align: middle; }
  input[type=range] { width: 100%; height: 2em; font-size: inherit; display: block; touch-action: pan-y; }
  input[type=checkbox] { width: 1.4em; height: 1.4em; margin-right: 8px; font-size: inherit; }
  input:focus-visible { outline: 3px solid currentColor; outline-offset: -2px; }
  .live { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  /* Wide, as on a slide: the picture on the left, all words on the right, both sliders side by side. */
  @container (min-width: 1000px) {
    .all { display: grid; grid-template: repeat(4, auto) 1fr / 52% 1fr 1fr; gap: 0 20px; max-width: none;
      line-height: 1.3; }
    .controls { display: contents; }
    .stage { grid-area: 1 / 1 / 6 / 2; max-width: none; }
    .hint { grid-area: 1 / 2 / 2 / 4; }
    .controls label:has(.show) { grid-area: 3 / 2 / 4 / 4; }
    .note { grid-area: 4 / 2 / 5 / 4; }
    .words { grid-area: 5 / 2 / 6 / 4; min-height: 0; font-size: inherit; }
    p, label { margin-bottom: 6px; }
  }
`;

const CONTENT = `
  <style>${STYLE}</style>
  <div class="all fresh">
    <div class="stage"><svg role="group">
      <path class="contours"/><path class="frame"/><g class="ticks"></g>
      <text class="star" text-anchor="middle" font-size="26">★</text><text class="lowest">minimum of Q</text>
      <polyline class="inner"/><g class="dots"></g><text class="end"></text>
      <g class="adjoints"></g>
      <g class="fomaml"></g><g class="maml"></g>
      <g class="handle" tabindex="0" role="slider" aria-roledescription="point in the plane" aria-valuemin="${START.x[0]}"
        aria-valuemax="${START.x[1]}" aria-label="start θ₀; the arrow keys move it, with Shift further">
        <circle class="hit" r="28"/><circle class="halo" r="20"/><circle class="ring" r="17"/><circle class="knob" r="10"/>
      </g>
      <text class="start" text-anchor="middle">θ₀</text>
    </svg></div>
    <div class="controls">
      <p class="hint">Drag θ₀, or press Tab and use the arrow keys.</p>
      <label>step size α = <span class="alpha"></span>
        <input class="alpha" type="range" min="0" step="0.005" aria-label="step size α"></label>
      <label>inner steps K = <span class="K"></span>
        <input class="K" type="range" min="0" step="1" aria-label="inner steps K"></label>
      <label><input class="show" type="checkbox">adjoints</label>
      <p class="note">Dots: the inner path. Thin lines: contours of the meta-loss M.</p>
    </div>
    <p class="words"><b></b><span></span></p>
    <p class="live" aria-live="polite"></p>
  </div>`;

const clamp = (x, [low, high]) => Math.min(Math.max(x, low), high);

function build(host) {
  const start = JSON.parse(host.dataset.start);
  const root = host.attachShadow({ mode: "open" });
  root.innerHTML = CONTENT;
  const one = (selector) => root.querySelector(selector);
  const svg = one("svg");
  const handle = one(".handle");
  const alphaInput = one("input.alpha");
  const KInput = one("input.K");
  const show = one(".show");
  let { theta, alpha, K } = start;
  let page = null; // width, scale, and where the window of θ₀ lies, in pixels where type is 16 pixels large
  let drawnContours = "";

  const px = ([x, y]) => [page.left + (x - WINDOW.x[0]) * page.scale, page.top + (WINDOW.y[1] - y) * page.scale];

  function set(element, attributes) {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  }

  function layOut() {
    const shown = one(".stage").clientWidth;
    if (!shown) return; // not shown yet: another tab, another slide
    const larger = parseFloat(getComputedStyle(host).fontSize) / 16;
    const width = shown / larger;
    const [left, right, top, bottom] = [30, 8, 8, 30];
    const scale = (width - left - right) / (WINDOW.x[1] - WINDOW.x[0]);
    const height = top + bottom + scale * (WINDOW.y[1] - WINDOW.y[0]);
    page = { width, height, scale, left, top };
    set(svg, { width: shown, height: larger * height, viewBox: `0 0 ${width} ${height}` });
    const [x0, y0] = px([WINDOW.x[0], WINDOW.y[0]]);
    const [x1, y1] = px([WINDOW.x[1], WINDOW.y[1]]);
    set(one(".frame"), { d: `M${x0} ${y1}V${y0}H${x1}` });
    const below = [-1, 0, 1].map((x) => `<text x="${px([x, 0])[0]}" y="${y0 + 22}" text-anchor="middle">${withMinus(`${x}`)}</text>`);
    const beside = [0, 1].map((y) => `<text x="${x0 - 8}" y="${px([0, y])[1] + 5}" text-anchor="end">${y}</text>`);
    const names = `<text x="${x1 - 6}" y="${y0 + 22}" text-anchor="end" font-style="italic">x</text>
      <text x="${x0 - 8}" y="${y1 + 14}" text-anchor="end" font-style="italic">y</text>`;
    one(".ticks").innerHTML = [...below, ...beside, names].join("");
    set(one(".contours"), { "stroke-width": 1.2 * larger });
    const [cx, cy] = px(c);
    set(one(".star"), { x: cx, y: cy + 9 });
    set(one(".lowest"), { x: cx + 14, y: cy + 5 });
    drawnContours = "";
    draw();
  }

  // Whole numbers are quickest to write: tenths of a pixel, scaled.
  function drawContours() {
    if (drawnContours === `${alpha} ${K}`) return;
    drawnContours = `${alpha} ${K}`;
    const tenth = (x, y) => px([x, y]).map((t) => Math.round(10 * t)).join(" ");
    const d = contours(alpha, K).map(([, x1, y1, x2, y2]) => `M${tenth(x1, y1)}L${tenth(x2, y2)}`);
    set(one(".contours"), { d: d.join(""), transform: "scale(0.1)" });
  }

  // The direction of descent, −g: a shaft, a head, and the name beside the tip, on the side away from the other arrow.
  function arrow(from, g, name = "", other = [0, 0]) {
    const size = Math.min(SCALE * length(g), LONGEST) * page.scale;
    if (!(size > 1)) return "";
    const [dx, dy] = [-g[0] / length(g), g[1] / length(g)];
    const [x, y] = px(from);
    const tip = [x + size * dx, y + size * dy];
    const [long, wide] = name ? [16, 8] : [10, 5];
    const head = Math.min(long, size);
    const neck = [tip[0] - head * dx, tip[1] - head * dy];
    const side = -dy * -other[0] + dx * other[1] > 0 ? -1 : 1;
    const [ox, oy] = [side * -dy * 0.9 + 0.5 * dx, side * dx * 0.9 + 0.5 * dy];
    const anchor = ox > 0.3 ? "start" : ox < -0.3 ? "end" : "middle";
    const half = 7.7 * name.length;
    const room = { start: [page.left + 4, page.width - 2 * half - 4], end: [page.left + 2 * half + 4, page.width - 4],
      middle: [page.left + half + 4, page.width - half - 4] }[anchor];
    const wanted = tip[0] + 14 * ox;
    const beside = clamp(wanted, room);
    const level = Math.abs(beside - wanted) < 8 ? 16 * oy + 6 : dy < 0 ? -10 : 26; // no room beside it: above or below
    const label = [beside, clamp(tip[1] + level, [18, page.height - 40])];
    return `<path class="shaft" d="M${x} ${y}L${neck[0]} ${neck[1]}"/>
      <path class="head" d="M${tip[0]} ${tip[1]}L${neck[0] - wide * dy} ${neck[1] + wide * dx}L${neck[0] + wide * dy} ${neck[1] - wide * dx}Z"/>
      ${name && `<text class="name" x="${label[0]}" y="${label[1]}" text-anchor="${anchor}">${name}</text>`}`;
  }

  // Where the name of θ₀ is in nobody's way: opposite to both arrows and to the path.
  function awayFrom(s) {
    const ways = [s.maml, s.fomaml, minus(s.theta, 1, s.path[Math.min(1, s.K)])];
    const [x, y] = ways.reduce((sum, u) => (length(u) > 1e-9 ? minus(sum, -1 / length(u), u) : sum), [0, 1e-9]);
    return [x / Math.hypot(x, y), y / Math.hypot(x, y)];
  }

  function draw() {
    if (!page) return;
    const s = state(theta, alpha, K);
    const lost = s.ranAway >= 0;
    drawContours();
    const visible = lost ? s.path.slice(0, s.ranAway) : s.path;
    set(one(".inner"), { points: visible.map((p) => px(p).join(",")).join(" ") });
    one(".dots").innerHTML = visible.slice(1).map((p) => `<circle class="dot" r="4" cx="${px(p)[0]}" cy="${px(p)[1]}"/>`).join("");
    const [ex, ey] = px(s.path[K]);
    one(".end").textContent = lost || K === 0 ? "" : `θ${subscript(K)}`;
    if (!lost) set(one(".end"), { x: ex + 8, y: ey + 20 });
    one("svg > .maml").innerHTML = lost ? "" : arrow(theta, s.maml, "MAML", s.fomaml);
    one("svg > .fomaml").innerHTML = lost ? "" : arrow(theta, s.fomaml, "FOMAML", s.maml);
    one(".adjoints").innerHTML = lost || !show.checked ? "" : s.path.slice(1).map((p, i) =>
      `<g class="thin ${i + 1 === K ? "fomaml" : "maml"}">${arrow(p, s.adjoints[i + 1])}</g>`).join("");
    const [x, y] = px(theta);
    set(handle, { transform: `translate(${x} ${y})`, "aria-valuenow": theta[0].toFixed(2),
      "aria-valuetext": withMinus(`x = ${theta[0].toFixed(2)}, y = ${theta[1].toFixed(2)}`) });
    const [ax, ay] = lost ? [0, 1] : awayFrom(s);
    set(one(".start"), { x: clamp(x + 34 * ax, [16, page.width - 16]), y: clamp(y - 30 * ay + 6, [18, page.height - 36]) });
    one("span.alpha").textContent = alpha;
    one("span.K").textContent = K;
    const [first, ...rest] = words(s, show.checked);
    one(".words b").textContent = first;
    one(".words span").textContent = ` ${rest.join(" ")}`;
    announceSoon();
  }

  // A screen reader hears the words when θ₀ has come to rest, not sixty times a second.
  let waiting = null;
  let said = null;
  function announceSoon() {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const text = one(".words").textContent;
      set(svg, { "aria-label": `Start ${point(theta)}, α = ${alpha}, K = ${K}. ${text}` });
      if (said !== null && said !== text) one(".live").textContent = text;
      said = text;
    }, 400);
  }

  // However many events arrive, one drawing a frame.
  let asked = false;
  function drawSoon() {
    if (!asked) requestAnimationFrame(() => { asked = false; draw(); });
    asked = true;
  }

  function moveTo([x, y]) {
    theta = [clamp(x, START.x), clamp(y, START.y)];
    one(".all").classList.remove("fresh");
    drawSoon();
  }

  function under(event) {
    const box = svg.getBoundingClientRect(); // also right where a slide is scaled
    const zoom = page.width / box.width;
    const [x, y] = [(event.clientX - box.left) * zoom, (event.clientY - box.top) * zoom];
    return [WINDOW.x[0] + (x - page.left) / page.scale, WINDOW.y[1] - (y - page.top) / page.scale];
  }

  let grip = null; // from the pointer to θ₀, while a drag lasts
  let dragged = false;
  svg.addEventListener("pointerdown", (event) => {
    const onHandle = handle.contains(event.target);
    dragged = onHandle || event.pointerType === "mouse";
    if (!dragged || event.button) return; // a finger beside the handle may be scrolling the page
    grip = onHandle ? minus(theta, 1, under(event)) : [0, 0];
    svg.setPointerCapture(event.pointerId);
    moveTo(minus(under(event), -1, grip));
    handle.focus({ preventScroll: true, focusVisible: false });
    event.preventDefault();
    event.stopPropagation();
  });
  // A finger on the handle drags it and never scrolls: browsers pass over the touch-action of parts of a drawing.
  handle.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  svg.addEventListener("pointermove", (event) => grip && moveTo(minus(under(event), -1, grip)));
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) svg.addEventListener(name, () => { grip = null; });
  svg.addEventListener("click", (event) => dragged || moveTo(under(event))); // a tap

  handle.addEventListener("keydown", (event) => {
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!direction) return;
    moveTo(minus(theta, event.shiftKey ? -0.25 : -0.05, direction));
    event.preventDefault();
  });
  // Keys that move something here are kept from the notebook or the slides around it; all others are theirs.
  root.addEventListener("keydown", (event) => {
    const type = event.target.type;
    const used = event.key.startsWith("Arrow") || (type === "range" && /^(Home|End)$/.test(event.key))
      || (type === "checkbox" && event.key === " ");
    if (used) event.stopPropagation();
  });

  set(alphaInput, { max: Math.max(0.18, alpha) });
  set(KInput, { max: Math.max(8, K) });
  alphaInput.value = alpha;
  KInput.value = K;
  show.checked = start.adjoints;
  alphaInput.addEventListener("input", () => { alpha = Number(alphaInput.value); drawSoon(); });
  KInput.addEventListener("input", () => { K = Number(KInput.value); drawSoon(); });
  show.addEventListener("input", drawSoon);
  new ResizeObserver(layOut).observe(one(".stage"));

  // What tests and the console ask: host.drag.state([-1, 1.5], 0.05, 3).
  host.drag = {
    state, contours, words, metaLoss,
    now: () => state(theta, alpha, K),
    set: (...values) => {
      [theta, alpha, K] = values;
      [alphaInput.value, KInput.value] = [alpha, K];
      draw();
    },
  };
}

// The picture above is for readers without this script; beside the live figure one is enough. Where the page is built
// as in a notebook, picture and caption are the two blocks before this one; on a slide, the picture alone is.
function hideStillPicture(host) {
  for (let block = host; block && block !== host.parentElement?.parentElement?.parentElement; block = block.parentElement) {
    const above = block.previousElementSibling;
    const still = above?.matches("img") ? above : above?.previousElementSibling;
    if (still && !still.querySelector("input") && (still === above || still.querySelector("img"))) {
      for (const part of [above, still]) {
        part.hidden = true;
        part.style.display = "none";
      }
      return;
    }
  }
}

for (const host of globalThis.document?.querySelectorAll(".drag-theta:not([data-claimed])") ?? []) {
  host.dataset.claimed = "";
  build(host);
  hideStillPicture(host);
}
