const root = element.querySelector(".vp");
const find = (selector) => root.querySelector(selector);
const VIEWS = {
  colours: {
    title: "Colours",
    caption: "Alike colours mean alike features. Each model's three strongest directions (principal components), over all frames together; the second model's colours are turned to follow the first's. Click on anything to see what each model holds to be like it.",
  },
  similarity: {
    title: "Similarity",
    caption: "How alike every place in every frame is to the marked point, to each model: the cosine of their features. Click into a picture to mark another point, or use the arrow keys.",
  },
  change: {
    title: "Change",
    caption: "How far each place's features have moved over the last {lag} frames. 0 is standing still, 1 is as different as two places drawn at random.",
  },
  depth: {
    title: "Depth",
    caption: "Distance, read from the frozen features by a small trained readout. It reads at a place of its own, whatever is chosen under “Where features are taken”.",
  },
  boxes: {
    title: "Boxes",
    caption: "Where a small trained readout follows a box of the first frame. Drag a rectangle around something, or click on it, to have your own followed; arrow keys move it, + and − change its size. Dashed: the truth, where it is known, and the box that was drawn.",
  },
};
const STRIP = 56;
const state = { key: null, frame: 0, view: "colours", point: [0.5, 0.5], marked: 0, drawn: null, draft: null, refused: "", over: false, tracks: true, playing: false };
let data = null;
let panels = [];
let strips = [];
let generation = 0;
let timer = 0;

function bytes(text, Kind) {
  const raw = atob(text);
  const out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return new Kind(out.buffer);
}

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

async function sprite(packed) {
  if (!packed) return null;
  const image = new Image();
  image.src = packed.src;
  await image.decode();
  return { image, count: packed.count, width: packed.width, height: packed.height };
}

async function load(value) {
  const models = [];
  for (const [index, model] of value.models.entries()) {
    const tracks = model.tracks && {
      grid: model.tracks.grid,
      points: bytes(model.tracks.points, Uint16Array),
      visible: bytes(model.tracks.visible, Uint8Array),
    };
    models.push({
      ...model,
      index,
      maps: { colours: await sprite(model.colours), change: await sprite(model.change), depth: await sprite(model.depth) },
      packed: { grid: model.similarity.grid, values: bytes(model.similarity.values, Int8Array), scales: bytes(model.similarity.scales, Float32Array) },
      tracks,
    });
  }
  const truth = value.truth ? { ...value.truth, depth: await sprite(value.truth.depth) } : null;
  return { ...value, models, truth, pictures: await sprite(value.pictures), table: bytes(value.similarityTable, Uint8Array) };
}

async function show(value) {
  const mine = ++generation;
  if (!value || !value.models || value.models.length < 2) return;
  let loaded;
  try {
    loaded = await load(value);
  } catch (error) {
    root.dataset.state = "failed";
    find(".vp-empty").textContent = "The pictures could not be shown. Please compare again.";
    return;
  }
  if (mine !== generation) return; // a newer comparison came in meanwhile
  const fresh = value.key !== state.key;
  data = loaded;
  state.key = value.key;
  if (fresh) Object.assign(state, { frame: 0, point: [0.5, 0.5], marked: 0, drawn: null, draft: null, refused: "" });
  state.frame = Math.min(state.frame, data.frames - 1);
  find(".vp-empty").hidden = true;
  find(".vp-body").hidden = false;
  find(".vp-title").textContent = data.title;
  find(".vp-note").textContent = data.note;
  find(".vp-note").hidden = !data.note;
  find(".vp-frame").max = data.frames - 1;
  find(".vp-time").hidden = data.frames < 2;
  compare();
  buildPanels();
  buildClasses();
  setView(state.view);
  root.dataset.key = data.key;
  root.dataset.state = data.ready ? "ready" : "pictures";
  if (state.drawn && data.ready) ask();
  if (fresh) play(data.frames > 1 && !matchMedia("(prefers-reduced-motion: reduce)").matches);
}

// Similarity of the marked point with every place, painted as a sprite like those that came from the server.
function compare() {
  for (const model of data.models) {
    const { grid: [steps, height, width], values, scales } = model.packed;
    const count = steps * height * width, size = values.length / count;
    const step = model.steps[state.marked];
    const row = Math.min(height - 1, Math.floor(state.point[1] * height));
    const column = Math.min(width - 1, Math.floor(state.point[0] * width));
    const at = (step * height + row) * width + column;
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = steps * height;
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(canvas.width, canvas.height);
    for (let place = 0; place < count; place++) {
      let dot = 0;
      for (let k = 0; k < size; k++) dot += values[place * size + k] * values[at * size + k];
      const colour = Math.round(255 * Math.min(1, Math.max(0, dot * scales[place] * scales[at])));
      for (let c = 0; c < 3; c++) pixels.data[place * 4 + c] = data.table[colour * 3 + c];
      pixels.data[place * 4 + 3] = 255;
    }
    context.putImageData(pixels, 0, 0);
    model.maps.similarity = { image: canvas, count: steps, width, height };
  }
}

function buildPanels() {
  const place = find(".vp-panels");
  place.replaceChildren();
  const input = { kind: "input", title: "Input", words: `${data.frames > 1 ? `${data.frames} frames` : "a photo"}, seen at ${data.seen[1]} × ${data.seen[0]} pixels` };
  const models = data.models.map((model) => ({ kind: "model", model, title: model.title, words: model.words }));
  const truth = { kind: "truth", title: "True depth", words: "from the world's own geometry" };
  panels = [input, ...models, truth].map((panel) => buildPanel(place, panel));
  const area = find(".vp-strips");
  area.replaceChildren();
  area.hidden = data.frames < 2;
  strips = panels.map((panel) => {
    const row = make("div", "vp-strip");
    row.append(make("span", "vp-strip-name", panel.title));
    const canvas = make("canvas");
    canvas.width = STRIP * data.frames;
    canvas.height = STRIP;
    row.append(canvas);
    row.style.setProperty("--frames", data.frames);
    area.append(row);
    canvas.addEventListener("click", (event) => {
      play(false);
      setFrame(Math.floor((event.offsetX / canvas.clientWidth) * data.frames));
    });
    return { row, canvas, panel };
  });
}

function buildPanel(place, panel) {
  const figure = make("figure", `vp-panel vp-${panel.kind}`);
  if (panel.model) figure.dataset.model = panel.model.index;
  const caption = make("figcaption");
  const words = make("span", "", panel.words);
  caption.append(make("strong", "", panel.title), words);
  const box = make("div", "vp-box");
  box.tabIndex = 0;
  box.setAttribute("role", "application");
  const canvas = make("canvas");
  canvas.width = canvas.height = 384;
  const message = make("p", "vp-missing");
  box.append(canvas, message);
  figure.append(caption, box);
  place.append(figure);
  box.addEventListener("pointerdown", (event) => {
    if (state.view === "boxes") return startBox(event, canvas);
    setPoint(...placeOf(event, canvas), true);
  });
  box.addEventListener("keydown", (event) => {
    if (state.view === "boxes") return moveBox(event);
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!move) return;
    event.preventDefault();
    setPoint(state.point[0] + move[0] / 16, state.point[1] + move[1] / 16, true);
  });
  return { ...panel, figure, box, canvas, message, caption: words };
}

function placeOf(event, canvas) {
  const frame = canvas.getBoundingClientRect();
  return [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height];
}

function buildClasses() {
  const place = find(".vp-classes");
  place.replaceChildren();
  if (!data.ready) {
    place.append(make("p", "vp-wait", "The readouts are being asked …"));
    return;
  }
  for (const [index, task] of data.models[0].classes.entries()) {
    const card = make("section", "vp-task");
    const head = make("h3", "", task.title);
    if (task.truth) head.append(make("span", "vp-answer", `in truth: ${task.truth}`));
    card.append(head);
    const columns = make("div", "vp-columns");
    for (const model of data.models) columns.append(bars(model, model.classes[index]));
    card.append(columns);
    place.append(card);
  }
}

function bars(model, task) {
  const column = make("div", "vp-bars");
  column.dataset.model = model.index;
  const where = model.places[task.task];
  column.append(make("h4", "", model.title));
  if (!task.shares.length) {
    column.append(make("p", "vp-missing-words", model.missing[task.task]));
    return column;
  }
  const list = make("ul");
  for (const [name, share] of task.shares) {
    const item = make("li", name === task.truth ? "vp-right" : "");
    const bar = make("span", "vp-bar-fill");
    bar.style.setProperty("--share", `${(100 * share).toFixed(1)}%`);
    const percent = share < 0.005 ? "< 1 %" : `${Math.round(100 * share)} %`;
    item.append(make("span", "vp-class", name === task.truth ? `${name} ✓` : name), bar, make("span", "vp-percent", percent));
    list.append(item);
  }
  column.append(list, make("p", "vp-place", `read at ${where}`));
  return column;
}

function setView(view) {
  state.view = view;
  for (const input of root.querySelectorAll(".vp-views input")) input.checked = input.value === view;
  find(".vp-caption").textContent = VIEWS[view].caption.replace("{lag}", data.lag);
  for (const panel of panels) panel.caption.textContent = panel.model ? placeWords(panel.model, view) : panel.words;
  find(".vp-tracks-check").hidden = view === "boxes" || !data.models.some((model) => model.tracks);
  find(".vp-over-check").hidden = view === "boxes";
  legend();
  draw();
  drawStrips();
  root.dataset.view = view;
}

// Where a model's features, or its readout, were taken.
function placeWords(model, view) {
  const task = { depth: "depth", boxes: "box_tracks" }[view];
  if (!task) return model.words;
  return data.ready && model.places[task] ? `readout at ${model.places[task]}` : "";
}

function legend() {
  const scales = {
    similarity: ["0 or less: unlike", "1: the same", data.similarityTable],
    change: ["0: still", `${data.changeLimit.toFixed(2)} and more`, data.tables.magma],
    depth: data.depthScale && [`${data.depthScale[0].toFixed(1)} m: near`, `${data.depthScale[1].toFixed(1)} m: far`, data.tables.cividis_r],
  };
  const scale = scales[state.view];
  find(".vp-legend").hidden = !scale;
  if (!scale) return;
  const table = bytes(scale[2], Uint8Array), context = find(".vp-scale").getContext("2d");
  const pixels = context.createImageData(256, 1);
  for (let i = 0; i < 256; i++) pixels.data.set([table[3 * i], table[3 * i + 1], table[3 * i + 2], 255], 4 * i);
  context.putImageData(pixels, 0, 0);
  find(".vp-low").textContent = scale[0];
  find(".vp-high").textContent = scale[1];
}

function setFrame(frame) {
  state.frame = Math.min(data.frames - 1, Math.max(0, frame));
  draw();
  root.dataset.frame = state.frame;
}

function setPoint(x, y, mark) {
  const inside = (value) => Math.min(0.999, Math.max(0.001, value));
  state.point = [inside(x), inside(y)];
  state.marked = state.frame;
  compare();
  if (mark && state.view !== "similarity") setView("similarity");
  draw();
  drawStrips();
  root.dataset.point = state.point.map((value) => value.toFixed(3)).join(",");
}

// What a panel shows of a frame: a sprite and which of its pictures.
function source(panel, frame) {
  if (panel.kind === "input" || state.view === "boxes") return { sprite: data.pictures, at: frame };
  if (panel.kind === "truth") return { sprite: data.truth && data.truth.depth, at: frame };
  const found = panel.model.maps[state.view];
  return { sprite: found, at: found && found.count === data.frames ? frame : panel.model.steps[frame] };
}

function paint(context, { sprite: found, at }, x, y, width, height) {
  if (!found) return;
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(found.image, 0, at * found.height, found.width, found.height, x, y, width, height);
}

function draw() {
  if (!data) return;
  for (const panel of panels) {
    const context = panel.canvas.getContext("2d"), side = panel.canvas.width;
    const hidden = panel.kind === "truth" && (state.view !== "depth" || !data.truth);
    panel.figure.hidden = hidden;
    if (hidden) continue;
    const seen = source(panel, state.frame);
    context.clearRect(0, 0, side, side);
    if (state.over && panel.kind !== "input") paint(context, { sprite: data.pictures, at: state.frame }, 0, 0, side, side);
    context.globalAlpha = state.over && panel.kind !== "input" ? 0.6 : 1;
    paint(context, seen, 0, 0, side, side);
    context.globalAlpha = 1;
    panel.message.textContent = seen.sprite ? "" : missing(panel);
    if (state.view === "change" && state.frame === 0 && panel.kind === "model") panel.message.textContent = "Nothing comes before the first frame.";
    if (state.view === "boxes") {
      panel.message.textContent = panel.model ? missingBox(panel.model) : "";
      drawBoxes(context, panel, side, state.frame, 1);
      label(panel);
      continue;
    }
    if (panel.model && state.tracks) track(context, panel.model, side);
    if (panel.kind === "input" && state.tracks) data.models.forEach((model) => track(context, model, side));
    marker(context, panel, side);
    label(panel);
  }
  find(".vp-panels").dataset.count = panels.filter((panel) => !panel.figure.hidden).length;
  find(".vp-frame").value = state.frame;
  find(".vp-clock").textContent = `frame ${state.frame + 1} of ${data.frames} · ${(state.frame / data.fps).toFixed(2)} s`;
  for (const { row, panel } of strips) {
    row.hidden = panel.figure.hidden;
    row.style.setProperty("--now", state.frame / data.frames);
  }
}

function label(panel) {
  const words = `${panel.title}, ${VIEWS[state.view].title.toLowerCase()}, frame ${state.frame + 1} of ${data.frames}.`;
  const percent = (value) => `${Math.round(100 * value)} %`;
  const [x, y] = state.point;
  const about =
    state.view === "boxes"
      ? "Arrow keys move the box that is followed, plus and minus change its size."
      : `Marked point: ${percent(x)} from the left, ${percent(y)} from the top. Arrow keys move it.`;
  panel.box.setAttribute("aria-label", `${words} ${about}`);
}

function missing(panel) {
  if (panel.kind !== "model") return "";
  return data.ready ? panel.model.missing[state.view] || "" : "Being computed …";
}

function marker(context, panel, side) {
  const [x, y] = state.point.map((value) => value * side);
  context.globalAlpha = state.frame === state.marked ? 1 : 0.35; // the point was marked in one frame
  for (const [radius, colour, width] of [[9, "#000", 4], [9, "#fff", 2]]) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }
  context.globalAlpha = 1;
}

// The predicted track that passes nearest to the marked point in the frame where it was marked.
function nearest(model) {
  const { points, grid } = model.tracks, count = grid * grid;
  let best = 0, least = Infinity;
  for (let n = 0; n < count; n++) {
    const [x, y] = trackPoint(points, n, state.marked);
    const far = (x - state.point[0]) ** 2 + (y - state.point[1]) ** 2;
    if (far < least) [best, least] = [n, far];
  }
  return best;
}

function trackPoint(points, n, frame) {
  const at = (n * data.frames + frame) * 2;
  return [(points[at] / 65535) * 3 - 1, (points[at + 1] / 65535) * 3 - 1];
}

function track(context, model, side) {
  if (!model.tracks) return;
  const n = nearest(model), path = new Path2D();
  for (let frame = 0; frame <= state.frame; frame++) {
    const [x, y] = trackPoint(model.tracks.points, n, frame);
    path[frame ? "lineTo" : "moveTo"](x * side, y * side);
  }
  const ink = getComputedStyle(root).getPropertyValue(model.index ? "--model-b-mark" : "--model-a-mark").trim();
  context.lineJoin = "round";
  for (const [colour, width] of [["rgba(255,255,255,.9)", 7], [ink, 4]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke(path);
  }
  const [x, y] = trackPoint(model.tracks.points, n, state.frame);
  const seen = model.tracks.visible[n * data.frames + state.frame];
  context.beginPath();
  context.arc(x * side, y * side, 8, 0, 2 * Math.PI);
  context.fillStyle = seen ? ink : "rgba(255,255,255,.9)";
  context.strokeStyle = seen ? "#fff" : ink;
  context.lineWidth = 3;
  context.fill();
  context.stroke();
}

function drawStrips() {
  for (const { canvas, panel } of strips) {
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    for (let frame = 0; frame < data.frames; frame++) {
      paint(context, source(panel, frame), frame * STRIP, 0, STRIP - 2, STRIP);
      if (state.view !== "boxes") continue;
      context.save();
      context.translate(frame * STRIP, 0);
      drawBoxes(context, panel, STRIP - 2, frame, 0.4);
      context.restore();
    }
  }
}

function play(on) {
  state.playing = on;
  clearInterval(timer);
  if (on) timer = setInterval(() => (root.isConnected ? setFrame((state.frame + 1) % data.frames) : play(false)), 1000 / data.fps);
  const button = find(".vp-play");
  button.classList.toggle("vp-playing", on);
  button.setAttribute("aria-label", on ? "Pause" : "Play");
}

for (const [name, { title: words }] of Object.entries(VIEWS)) {
  const label = make("label", "vp-view");
  const input = make("input");
  Object.assign(input, { type: "radio", name: "vp-view", value: name, checked: name === state.view });
  input.addEventListener("change", () => setView(name));
  label.append(input, make("span", "", words));
  find(".vp-views").append(label);
}
find(".vp-play").addEventListener("click", () => play(!state.playing));
find(".vp-frame").addEventListener("input", (event) => { play(false); setFrame(Number(event.target.value)); });
find(".vp-over").addEventListener("change", (event) => { state.over = event.target.checked; draw(); });
find(".vp-tracks").addEventListener("change", (event) => { state.tracks = event.target.checked; draw(); });
watch("value", () => show(props.value));
watch("followed", () => followed(props.followed));
show(props.value);
