
// Boxes that readouts follow: those of the clip's labels, or one that the visitor drew in the first frame.
const LEAST_BOX = 0.04, CLICK_BOX = 0.28, STEP = 1 / 32;
let asking = 0;

function startBox(event, canvas) {
  if (data.frames < 2) return;
  play(false);
  setFrame(0);
  const from = placeOf(event, canvas).map(unit);
  const move = (next) => {
    const to = placeOf(next, canvas).map(unit);
    state.draft = [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.max(from[0], to[0]), Math.max(from[1], to[1])];
    draw();
  };
  const end = (last) => {
    canvas.removeEventListener("pointermove", move);
    if (last.type === "pointercancel") {
      state.draft = null;
      return draw();
    }
    move(last);
    const [x1, y1, x2, y2] = state.draft, small = Math.max(x2 - x1, y2 - y1) < LEAST_BOX;
    setBox(small ? around(from, CLICK_BOX, CLICK_BOX) : state.draft);
  };
  canvas.setPointerCapture?.(event.pointerId);
  canvas.addEventListener("pointermove", move);
  for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, end, { once: true });
}

function moveBox(event) {
  if (data.frames < 2) return;
  const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  const grow = { "+": 1, "=": 1, "-": -1, "−": -1 }[event.key];
  if (!move && !grow) return;
  event.preventDefault();
  play(false);
  setFrame(0);
  const [x1, y1, x2, y2] = state.drawn || (queries()[0] ?? around([0.5, 0.5], CLICK_BOX, CLICK_BOX));
  const middle = [(x1 + x2) / 2, (y1 + y2) / 2];
  if (move) setBox(around([middle[0] + move[0] * STEP, middle[1] + move[1] * STEP], x2 - x1, y2 - y1));
  else setBox(around(middle, Math.max(LEAST_BOX, x2 - x1 + 2 * grow * STEP), Math.max(LEAST_BOX, y2 - y1 + 2 * grow * STEP)));
}

function unit(value) {
  return Math.min(1, Math.max(0, value));
}

// A box of that size whose middle is as near to the point as the frame allows.
function around([x, y], width, height) {
  const [w, h] = [Math.min(1, width), Math.min(1, height)];
  const left = Math.min(1 - w, Math.max(0, x - w / 2)), top = Math.min(1 - h, Math.max(0, y - h / 2));
  return [left, top, left + w, top + h];
}

// Keeps the box and, when the hand has come to rest, has it followed.
function setBox(box) {
  const [x1, y1, x2, y2] = box;
  state.drawn = [x1, y1, Math.max(x2, x1 + LEAST_BOX), Math.max(y2, y1 + LEAST_BOX)].map((value) => Math.round(1e4 * unit(value)) / 1e4);
  state.draft = null;
  for (const model of data.models) model.followed = null;
  state.refused = "";
  root.dataset.box = "asked";
  draw();
  drawStrips();
  ask();
}

function ask() {
  clearTimeout(asking);
  asking = setTimeout(() => trigger("follow", { key: data.key, names: data.models.map((model) => model.name), box: state.drawn }), 250);
}

function followed(answer) {
  if (!data || !answer || !state.drawn) return;
  if (answer.failed) {
    state.refused = answer.failed;
    root.dataset.box = "refused";
    return draw();
  }
  const same = answer.key === data.key && answer.names.every((name, index) => name === data.models[index].name);
  if (!same || answer.box.some((value, index) => Math.abs(value - state.drawn[index]) > 1e-6)) return; // an older box's
  data.models.forEach((model, index) => (model.followed = answer.models[index]));
  root.dataset.box = "followed";
  draw();
  drawStrips();
  play(!matchMedia("(prefers-reduced-motion: reduce)").matches);
}

// Boxes in frame 0 of the clip's labels.
function queries() {
  return data.truth && data.truth.boxes ? data.truth.boxes.map((box) => box[0]) : [];
}

// A model's boxes: K lists of corners, one for each frame.
function boxesOf(model) {
  if (state.drawn) return model.followed && model.followed.boxes ? [model.followed.boxes] : [];
  return model.boxes || [];
}

function missingBox(model) {
  if (!data.ready) return "Being computed …";
  if (model.missing.box_tracks) return model.missing.box_tracks;
  if (state.draft) return "";
  if (state.drawn) return model.followed ? model.followed.missing : state.refused || "Following the box …";
  return model.boxes && model.boxes.length ? "" : "Drag a rectangle in a picture, and both models follow it.";
}

function drawBoxes(context, panel, side, frame, thick) {
  if (state.draft) return outline(context, state.draft, side, "#111", true, thick);
  const truth = !state.drawn && data.truth && data.truth.boxes ? data.truth.boxes.map((box) => box[frame]) : [];
  for (const box of truth) outline(context, box, side, "#111", true, thick);
  if (state.drawn && frame === 0) outline(context, state.drawn, side, "#111", true, thick);
  const shown = panel.model ? [panel.model] : data.models;
  for (const model of shown) {
    const ink = getComputedStyle(root).getPropertyValue(model.index ? "--model-b-mark" : "--model-a-mark").trim();
    for (const boxes of boxesOf(model)) outline(context, boxes[frame], side, ink, false, thick);
  }
}

function outline(context, [x1, y1, x2, y2], side, ink, dashed, thick) {
  if (x2 <= x1 || y2 <= y1) return; // out of the frame
  context.lineJoin = "round";
  const dashes = dashed ? [10 * thick, 7 * thick] : [];
  for (const [colour, width, line] of [["rgba(255,255,255,.9)", 7 * thick, []], [ink, 3.5 * thick, dashes]]) {
    context.setLineDash(line);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.strokeRect(x1 * side, y1 * side, (x2 - x1) * side, (y2 - y1) * side);
  }
  context.setLineDash([]);
}
