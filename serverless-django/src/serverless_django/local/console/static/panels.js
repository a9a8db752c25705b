// The tables beside the timeline: routes, queues, connections, objects, budgets, and the log.

import { $, element, keyedRows, size, tableRow, text } from "./rows.js";

export function routesPanel() {
  const update = keyedRows($("routes-body"), () => {
    const [row, cells] = tableRow(["name", "n", "n", "n", "", "n", "n", "n", "n"]);
    const fill = element("i");
    const bar = element("span", { class: "bar", "aria-hidden": "true" }, fill, element("u"));
    cells[4].append(bar, element("span", { class: "hidden" }));
    return [row, (route) => {
      [route.name, route.count, route.p50, route.p95].forEach((value, index) => text(cells[index], value));
      [route.queries, route.sql_ms, route.cold_starts, route.errors].forEach((value, index) => text(cells[5 + index], value));
      const over = route.budget_ms && route.p95 > route.budget_ms;
      // The line in the middle is the budget.
      fill.style.width = route.budget_ms ? `${Math.min(100, (route.p95 ?? 0) / route.budget_ms * 50)}%` : "0";
      bar.hidden = !route.budget_ms;
      bar.className = over ? "bar over" : "bar";
      text(cells[4].lastChild, route.budget_ms ? `${over ? "over" : "within"} ${route.budget_ms} ms` : "no budget");
      cells[3].className = over ? "n alarm" : "n";
      cells[8].className = route.errors ? "n alarm" : "n";
    }];
  });
  return (routes) => {
    update(routes, (route) => route.name);
    $("routes-empty").hidden = routes.length > 0;
  };
}

export function queuesPanel(act) {
  const update = keyedRows($("queues-body"), () => {
    const [row, cells] = tableRow(["name", "n", "n", "n", "does"]);
    let queue;
    const read = element("button", { type: "button", class: "slim", onclick: async () => showLetters(queue, await act("read-dead-letters", { url: queue.url })) }, "Read");
    const redrive = element("button", { type: "button", class: "slim", onclick: () => act("redrive", { url: queue.url }) }, "Redrive");
    cells[4].append(read, " ", redrive);
    return [row, (item) => {
      queue = item;
      row.dataset.queue = item.name;
      [item.name, item.waiting, item.in_flight, item.dead].forEach((value, index) => text(cells[index], value));
      cells[3].className = item.dead ? "n alarm" : "n";
      read.setAttribute("aria-label", `Read the dead letters of ${item.name}`);
      redrive.setAttribute("aria-label", `Redrive the dead letters of ${item.name}`);
      read.hidden = redrive.hidden = !item.dead;
    }];
  });
  return (queues) => update(queues, (queue) => queue.url);
}

function showLetters(queue, answer) {
  if (!answer) return;
  text($("letters-h"), `Dead letters of ${queue.name}`);
  $("letters-body").replaceChildren(element("ul", { class: "plain" }, ...answer.letters.map((letter) => element("li", {},
    element("strong", {}, letter.id), element("pre", { tabindex: "0" }, `${new Date(letter.sent * 1000).toLocaleString()}\n${JSON.stringify(letter.told, null, 1)}\n${letter.body}`)))));
  $("letters").showModal();
}

export function databasePanel() {
  const line = (name, count, most, note) => {
    text($(`f-${name}`), count);
    text($(`f-${name}-n`), note);
    $(`f-${name}`).parentNode.querySelector(".bar i").style.width = `${Math.min(100, (count ?? 0) / Math.max(1, most) * 100)}%`;
  };
  return (database, environments) => {
    $("database-error").hidden = !database.error;
    if (database.error) return void text($("database-error"), database.error);
    const clients = database.clients && database.clients.active + database.clients.waiting;
    const backends = Object.values(database.backends).reduce((sum, count) => sum + count, 0);
    const most = Math.max(environments, clients ?? 0, backends, 1);
    line("environments", environments, most, "may hold one connection each");
    line("clients", clients, most, database.clients ? `${database.clients.active} connected, ${database.clients.waiting} wait for a backend` : "there is no PgBouncer here");
    line("backends", backends, most, `${database.backends.active ?? 0} active, of ${database.max_connections} that PostgreSQL allows`);
    text($("tile-backends"), backends);
  };
}

export function objectsPanel() {
  const buckets = keyedRows($("buckets-body"), () => {
    const [row, cells] = tableRow(["name", "n", "n"]);
    return [row, (bucket) => [bucket.name, `${bucket.objects}${bucket.more ? "+" : ""}`, size(bucket.bytes)].forEach((value, index) => text(cells[index], value))];
  });
  const recent = keyedRows($("objects-recent"), () => {
    const tag = element("span", { class: "tag" }), name = element("span");
    return [element("li", {}, tag, " ", name), (item) => { text(tag, item.state.toLowerCase()); tag.dataset.state = item.state; text(name, item.object); }];
  });
  return (counts, objects) => { buckets(counts ?? [], (item) => item.name); recent(objects, (item) => item.call); };
}

export function budgetsPanel() {
  const update = keyedRows($("breaches"), () => {
    const title = element("strong"), fact = element("span"), body = element("pre", { tabindex: "0" }), times = element("small");
    const row = element("li", {}, element("details", {}, element("summary", {}, title, " ", times, fact), body));
    return [row, (group) => {
      text(title, group.route);
      text(times, group.count > 1 ? `${group.count} times` : "");
      text(fact, group.fact);
      text(body, group.message);
    }];
  });
  return (breaches) => {
    update(grouped(breaches), (group) => `${group.route} ${group.limit}`);
    $("breaches-empty").hidden = breaches.length > 0;
    text($("budgets-note"), breaches.length ? `of the last ${breaches.length}` : "");
  };
}

// The same route over the same limit is one thing to mend; the newest comes first.
function grouped(breaches) {
  const groups = new Map();
  for (const breach of breaches) {
    const fact = breach.message.split("\n")[1]?.trim() ?? "";
    const limit = fact.split(":")[0], key = `${breach.route} ${limit}`;
    if (!groups.has(key)) groups.set(key, { ...breach, fact, limit, count: 0 });
    groups.get(key).count += 1;
  }
  return [...groups.values()];
}
