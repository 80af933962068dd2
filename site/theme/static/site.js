// What a page does beyond showing itself: colours, folds that open for their links, equations on hover, the search
// among the questions, and frames that a keyboard can scroll. All of it is optional, and none of it asks the network.
"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// ---- light, dark, or as the system has it
document.querySelector("button.theme")?.addEventListener("click", () => {
  const page = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const order = dark ? ["", "light", "dark"] : ["", "dark", "light"];
  const next = order[(order.indexOf(page.dataset.theme || "") + 1) % 3];
  page.dataset.theme = next;
  try { localStorage.theme = next; } catch { /* no storage, no memory */ }
});

// ---- folds: a link that leads into one opens it; so does print
function open_to_target() {
  let place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!place) return;
  place.querySelector(":scope > details.fold")?.setAttribute("open", "");
  for (let e = place; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
  place.scrollIntoView();
}
addEventListener("hashchange", open_to_target);
if (location.hash) open_to_target();
let closed = [];
addEventListener("beforeprint", () => {
  closed = all("article details:not([open])");
  for (const fold of closed) fold.open = true;
  fit();
});
addEventListener("afterprint", () => { for (const fold of closed) fold.open = false; });

// On wide screens the list of notebooks stands open.
const contents = document.querySelector(".contents details");
if (contents && matchMedia("(min-width: 70rem)").matches) contents.open = true;

// ---- formulas: each fits its line, by a smaller type if need be; what is wider still scrolls, by keyboard too
const PAPER = 640;  // CSS pixels between the margins of A4, and a little air
const PRINT = 14;  // its type, in the same pixels
const SMALLEST = 0.7;
function fit() {
  const frames = all("div.math > .katex-display");
  for (const frame of frames) for (const name of ["--screen", "--fit"]) frame.style.removeProperty(name);
  const type = parseFloat(getComputedStyle(document.body).fontSize);
  const sizes = frames.map((frame) => {
    const formula = frame.querySelector(".katex-html");
    const aside = frame.closest(".claim, .output") ? 120 : 0;
    return [frame, formula.scrollWidth, frame.clientWidth, aside];
  });
  for (const [frame, wide, room, aside] of sizes) {
    if (!wide || !room) continue;
    if (wide > room && wide * SMALLEST <= room) frame.style.setProperty("--screen", 0.99 * room / wide);
    frame.style.setProperty("--fit", Math.min(1, (PAPER - aside) * type / PRINT / wide));
  }
}
function reachable() {
  fit();
  for (const formula of all("article span.math")) {
    const room = formula.closest("p, li, td, th, h1, h2, h3")?.clientWidth || Infinity;
    formula.classList.toggle("scrolls", all(".base", formula).some((part) => part.offsetWidth > room));
  }
  for (const frame of all("div.math, span.scrolls, .wide, pre")) {
    if (frame.scrollWidth > frame.clientWidth + 1) frame.tabIndex = 0;
    else frame.removeAttribute("tabindex");
  }
}
addEventListener("load", reachable);
addEventListener("resize", reachable);
all("details").forEach((fold) => fold.addEventListener("toggle", reachable));

// On a phone the cells of a table of sentences stand one under the other: each says of which column it is.
for (const table of all(".long table")) {
  const heads = all("thead th", table).map((head) => (head.querySelector(".katex-html") ?? head).textContent.trim());
  for (const row of all("tbody tr", table)) {
    all("td", row).forEach((cell, i) => { if (i && heads[i] && cell.textContent.trim()) cell.dataset.head = `${heads[i]}: `; });
  }
}

// ---- a citation shows its equation
const shown = document.createElement("div");
shown.id = "equation";
shown.setAttribute("role", "tooltip");
shown.hidden = true;
document.body.append(shown);
const home = document.querySelector("script[src$='site.js']").src.replace(/site\.js.*$/, "claims/");
const loading = {};
function load(chapter) {
  loading[chapter] ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    Object.assign(script, { src: home + chapter + ".js", onload: done, onerror: failed });
    document.head.append(script);
  });
  return loading[chapter];
}
let wanted = null;
async function show(link) {
  wanted = link;
  const number = link.textContent.replace(/[()]/g, "");
  const here = document.querySelector(`[id="eq-${number}"] .math`);
  if (!here) await load(number.split(".")[0]);
  if (wanted !== link) return;
  shown.innerHTML = here ? here.innerHTML : window.claims[number];
  shown.hidden = false;
  const at = link.getBoundingClientRect();
  const left = Math.min(at.left, document.documentElement.clientWidth - shown.offsetWidth - 8);
  shown.style.left = Math.max(8, left) + scrollX + "px";
  const above = at.top - shown.offsetHeight - 6;
  shown.style.top = (above > 60 ? above : at.bottom + 6) + scrollY + "px";
  link.setAttribute("aria-describedby", "equation");
}
function hide() {
  wanted?.removeAttribute("aria-describedby");
  wanted = null;
  shown.hidden = true;
}
for (const link of all("a.cite")) {
  link.addEventListener("mouseenter", () => show(link));
  link.addEventListener("focus", () => show(link));
  link.addEventListener("mouseleave", hide);
  link.addEventListener("blur", hide);
}
addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

// ---- "is this my question?"
const find = document.getElementById("find");
if (find) {
  find.closest(".find").hidden = false;
  // As it is typed and as it is printed: no marks on letters, Greek by name, hyphens and underscores as spaces.
  const letters = { "θ": " theta ", "α": " alpha ", "∇": " nabla ", "’": "'" };
  const plain = (text) => text.normalize("NFKD").toLowerCase().replace(/[θα∇’]/g, (letter) => letters[letter])
    .replace(/[\u0300-\u036f\u200b\u2060]/g, "").replace(/[-_\s]+/g, " ");
  const stem = (word) => word.replace(/^(.{3,}?)(s|es|ed|d|ing|ation|tion)$/, "$1");
  const questions = all(".question").map((box) => [box, plain(box.textContent)]);
  const found = document.getElementById("found");
  const elsewhere = document.getElementById("elsewhere");
  const filter = () => {
    const words = plain(find.value).split(" ").filter((word) => word && !/^(\W|a|an|and|in|is|it|of|or|the|to)$/.test(word));
    const worth = (text, word) => (text.includes(word) ? 1 : text.includes(stem(word)) ? 0.9 : 0);
    const scores = questions.map(([, text]) => words.reduce((sum, word) => sum + worth(text, word), 0));
    const best = Math.max(...scores);  // where no question has all words, those that have most of them
    const shown = words.length && !best ? 0 : scores.filter((score) => score === best).length;
    questions.forEach(([box], i) => { box.hidden = !shown || scores[i] < best; });
    for (const group of all("article section section section")) {
      const boxes = all(".question", group);
      if (boxes.length) group.hidden = boxes.every((box) => box.hidden);
    }
    const number = shown === 1 ? "1 question" : `${shown} questions`;
    const had = Math.ceil(best);
    found.textContent = shown && had < words.length ? `${number} with ${had} of these ${words.length} words` : number;
    document.body.classList.toggle("searching", words.length > 0);
    elsewhere.hidden = !find.value.trim();
    elsewhere.href = `search.html?q=${encodeURIComponent(find.value.trim())}`;
  };
  find.addEventListener("input", filter);
  find.addEventListener("keydown", (event) => {
    const first = document.querySelector(".question:not([hidden]) .ask a");
    if (event.key === "Enter" && find.value && first) location.href = first.href;
  });
  // On a phone the keyboard covers half of the page: the field goes to the top, what it finds stands beneath.
  find.addEventListener("focus", () => {
    if (innerWidth < 736) find.closest(".find").scrollIntoView();
  });
  all("article .ways a[href='#is-this-your-question']").forEach((link) => link.addEventListener("click", (event) => {
    event.preventDefault();  // going to a place takes the focus away again
    history.pushState(null, "", link.href);
    document.getElementById("is-this-your-question").scrollIntoView();
    find.focus();
  }));
  filter();
}
