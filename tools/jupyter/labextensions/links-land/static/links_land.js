/* JupyterLab scrolls to a link's target and gives up after three seconds. Formulas above the target that are set later
 * push it away, on a slow machine out of sight. Here the target is held at the top until nothing has moved it for a
 * while, or until the reader moves on. */

const EVERY = 100; // milliseconds between two looks
const CALM = 30; // looks in a row that find the target in its place
const AT_MOST = 1200; // looks, two minutes
const NEAR = 40; // pixels below the upper edge
const READER_ACTS = ["wheel", "pointerdown", "keydown", "touchstart"];

function hold(app, id) {
  let looks = 0;
  let calm = 0;
  const done = () => {
    clearInterval(timer);
    READER_ACTS.forEach((name) => document.removeEventListener(name, done, true));
  };
  const look = () => {
    looks += 1;
    const notebook = app.shell.currentWidget?.content;
    const number = notebook?.widgets?.findIndex?.((cell) => cell.model?.id === id) ?? -1;
    if (number >= 0) calm = stands(notebook, number) ? calm + 1 : 0;
    if (calm === CALM || looks === AT_MOST) done();
  };
  const timer = setInterval(look, EVERY);
  READER_ACTS.forEach((name) => document.addEventListener(name, done, true));
}

/* Whether the cell is where it should be; it is moved there if not. */
function stands(notebook, number) {
  const cell = notebook.widgets[number];
  const outer = notebook.node.querySelector(".jp-WindowedPanel-outer");
  if (!cell.node.isConnected || !cell.node.clientHeight) {
    notebook.scrollToItem(number, "start").catch(() => {}); // another scroll may take its place
    return false;
  }
  const below = cell.node.getBoundingClientRect().top - outer.getBoundingClientRect().top;
  const atTheEnd = outer.scrollTop + outer.clientHeight > outer.scrollHeight - 2;
  if (below > -2 && (below < NEAR || atTheEnd)) return true;
  outer.scrollTop += below;
  return false;
}

const plugin = {
  id: "links-land:plugin",
  autoStart: true,
  activate: (app) => {
    document.addEventListener("click", (event) => {
      const link = event.target.closest?.(".jp-RenderedMarkdown a[href]");
      const [, id] = decodeURIComponent(link?.hash ?? "").split("#cell-id=");
      if (id) hold(app, id);
    }, true);
  },
};

(window._JUPYTERLAB ??= {})["links-land"] = { init: () => {}, get: async () => () => ({ __esModule: true, default: plugin }) };
