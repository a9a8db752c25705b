// One strip per execution environment, over the last minute: init, run, and frozen between.

import { $, element, keyedRows, text } from "./rows.js";

const WINDOW = 60;
const spans = new Map();
let colours = {};
let act = () => {};

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const probe = document.body.appendChild(element("i", { hidden: true }));
  colours = Object.fromEntries(["init", "run", "frozen", "held", "bad"].map((name) => {
    probe.style.color = style.getPropertyValue(`--${name}`);
    return [name, getComputedStyle(probe).color];
  }));
  probe.remove();
}

export function keep(added, now) {
  for (const [number, state, start, end] of added) {
    if (!spans.has(number)) spans.set(number, []);
    spans.get(number).push([state, start, end]);
  }
  for (const [number, list] of spans) {
    while (list.length && list[0][2] < now - WINDOW) list.shift();
    if (!list.length) spans.delete(number);
  }
}

export function forget() { spans.clear(); }

function draw(canvas, item, now) {
  const ratio = devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * ratio), height = Math.round(14 * ratio);
  if (!width) return;
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
  const pen = canvas.getContext("2d");
  const list = spans.get(item.number) ?? [];
  const x = (moment) => Math.max(0, (moment - now + WINDOW) / WINDOW * width);
  const paint = (state, start, end) => {
    pen.fillStyle = colours[state];
    // A run of 5 ms would be a hundredth of a pixel: it gets one, so that reuse can be seen.
    pen.fillRect(x(start), 0, Math.max(x(end) - x(start), ratio), height);
  };
  pen.clearRect(0, 0, width, height);
  const gone = item.state === "gone";
  const first = list.length ? list[0][1] : item.since;
  const end = gone ? item.since : now;
  paint("frozen", item.init_ms || !list.length || list[0][0] !== "init" ? Math.min(first, item.since) : first, end);
  if (item.older) paint("frozen", now - WINDOW, end);
  for (const [state, start, stop] of list) paint(state, start, stop);
  if (item.state === "init" || item.state === "run") paint(item.state, item.since, now);
  if (item.held) paint("held", Math.max(item.since, now - 1), now);
  if (gone) { pen.fillStyle = colours.bad; pen.fillRect(x(item.since) - ratio, 0, 2 * ratio, height); }
}

function makeRow() {
  const who = element("span", { class: "who" });
  const canvas = element("canvas", { role: "img" });
  let current;
  const hold = element("button", { type: "button", class: "slim", onclick: () => act(current.held ? "thaw" : "freeze", { number: current.number }) });
  const kill = element("button", { type: "button", class: "slim", onclick: () => act("kill", { number: current.number }) }, "Kill");
  const row = element("li", {}, who, canvas, element("span", { class: "does" }, hold, kill));
  return [row, (item) => {
    current = item;
    const state = item.held && item.state !== "gone" ? "held" : item.state;
    row.dataset.state = state;
    row.dataset.number = item.number;
    text(who, `${item.number} ${item.source}`);
    who.title = `process ${item.pid}, ${item.invocations} invocations, init ${item.init_ms} ms`;
    const said = `environment ${item.number}, ${item.source}, ${state}, ${item.invocations} invocations`;
    if (canvas.getAttribute("aria-label") !== said) canvas.setAttribute("aria-label", said);
    text(hold, item.held ? "Thaw" : "Freeze");
    hold.setAttribute("aria-label", `${item.held ? "Thaw" : "Freeze"} environment ${item.number}`);
    kill.setAttribute("aria-label", `Kill environment ${item.number}`);
    hold.hidden = kill.hidden = item.state === "gone";
    draw(canvas, item, item.now);
  }];
}

export function timeline(onAct) {
  act = onAct;
  readColours();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", readColours);
  const update = keyedRows($("rows"), makeRow);
  return (environments, now) => {
    const items = environments.map((item) => ({ ...item, now, older: item.state !== "gone" && !(spans.get(item.number) ?? []).some(([state]) => state === "init") && item.invocations > 0 && item.state !== "init" }));
    const rank = (item) => (item.state === "gone" ? 1 : 0);
    items.sort((one, other) => rank(one) - rank(other) || one.source.localeCompare(other.source) || one.number - other.number);
    update(items, (item) => item.number);
    const living = environments.filter((item) => item.state !== "gone");
    const busy = living.filter((item) => item.state === "run").length;
    text($("environments-note"), living.length ? `${living.length} alive, ${busy} running` : "");
    $("environments-empty").hidden = environments.length > 0;
    return living.length;
  };
}
