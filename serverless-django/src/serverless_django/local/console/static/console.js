// Events in, panels updated; buttons out.

import { logPanel } from "./log.js";
import { budgetsPanel, databasePanel, objectsPanel, queuesPanel, routesPanel } from "./panels.js";
import { $, text } from "./rows.js";
import { forget, keep, timeline } from "./timeline.js";

async function act(name, parameters, button) {
  if (button) button.disabled = true;
  text($("said"), `${name.replaceAll("-", " ")} …`);
  $("said").className = "";
  try {
    const reply = await fetch(`actions/${name}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(parameters) });
    const answer = await reply.json();
    text($("said"), answer.error ?? answer.said);
    if (answer.error) $("said").className = "bad";
    return answer.error ? undefined : answer;
  } catch (error) {
    text($("said"), `the console did not answer: ${error.message}`);
    $("said").className = "bad";
  } finally {
    if (button) button.disabled = false;
  }
}

const panels = {
  timeline: timeline((name, parameters) => act(name, parameters)),
  routes: routesPanel(),
  queues: queuesPanel(act),
  database: databasePanel(),
  objects: objectsPanel(),
  budgets: budgetsPanel(),
  log: logPanel(),
};

const seen = [];
function rate(now, count) {
  seen.push([now, count]);
  while (seen.length > 1 && seen[0][0] < now - 2) seen.shift();
  const [then, before] = seen[0];
  return now > then ? Math.round((count - before) / (now - then)) : 0;
}

function show(state) {
  keep(state.spans, state.now);
  const living = panels.timeline(state.environments, state.now);
  panels.routes(state.routes);
  if (state.database) panels.database(state.database, living);
  if (state.queues) panels.queues(state.queues);
  panels.objects(state.buckets, state.recent_objects);
  if (state.breaches) panels.budgets(state.breaches);
  panels.log(state.lines, state.left_out);
  tiles(state, living);
}

function tiles(state, living) {
  const total = (kind) => Object.entries(state.counts).filter(([name]) => name.endsWith(` ${kind}`)).reduce((sum, [, count]) => sum + count, 0);
  const sum = (name) => (state.queues ?? []).reduce((all, queue) => all + queue[name], 0);
  text($("tile-rate"), rate(state.now, state.counts["api_gateway invocations"] ?? 0));
  text($("tile-environments"), living);
  text($("tile-cold"), total("cold starts"));
  text($("tile-waiting"), sum("waiting") + sum("in_flight"));
  text($("tile-dead"), sum("dead"));
  $("tile-dead").className = sum("dead") ? "alarm" : "";
}

function connect() {
  const source = new EventSource("events");
  const link = (state, words) => { $("link").dataset.state = state; text($("link"), words); };
  source.addEventListener("picture", (event) => {
    forget();
    $("lines").replaceChildren();
    const picture = JSON.parse(event.data);
    if (!$("kind").options.length) $("kind").append(...picture.samples.map((name) => new Option(name)));
    show(picture);
    link("live", "live");
  });
  source.addEventListener("tick", (event) => show(JSON.parse(event.data)));
  // The browser connects again by itself.
  source.addEventListener("error", () => link("lost", "connection lost, trying again"));
}

$("requests").addEventListener("input", () => text($("requests-said"), $("requests").value));
$("burst").addEventListener("submit", (event) => {
  event.preventDefault();
  act("burst", { kind: $("kind").value, requests: Number($("requests").value), at_once: Number($("at-once").value) }, event.submitter);
});
for (const name of ["deliver-twice", "restart-database"]) $(name).addEventListener("click", (event) => act(name, {}, event.currentTarget));
connect();
