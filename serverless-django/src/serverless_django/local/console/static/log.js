// The log of every function as it is written, or the lines of one id, from request to worker.

import { $, element, text } from "./rows.js";

const MOST = 300;
let following = "";

function said(line) {
  if (line.message !== "invocation") return [typeof line.message === "string" ? line.message : JSON.stringify(line.message), line.exception].filter(Boolean).join("\n");
  const what = [line.route, line.status, line.messages != null && `${line.messages} messages, ${line.failed} left`, line.error].filter(Boolean).join("  ");
  return `${what || line.source}  ${line.duration_ms} ms, ${line.queries} queries ${line.sql_ms} ms${line.cold_start ? ", cold" : ""}`;
}

function row(line, follow) {
  const id = line.correlation_id ?? line.correlation_ids?.[0];
  const button = id && element("button", { type: "button", "aria-label": `Follow ${id}`, title: id, onclick: () => follow(id) }, "follow");
  return element("li", { "data-level": line.level },
    element("time", {}, String(line.timestamp ?? "").slice(11, 23)), element("span", { class: "fn" }, line.function),
    element("span", { class: "text" }, said(line)), button);
}

export function logPanel() {
  const list = $("lines"), box = list.parentNode;
  const add = (lines) => {
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    list.append(...lines.map((line) => row(line, follow)));
    while (list.children.length > MOST) list.firstChild.remove();
    if (atEnd) box.scrollTop = box.scrollHeight;
  };
  const follow = async (id) => {
    following = id;
    $("id").value = id;
    if (!id) { list.replaceChildren(); return text($("log-note"), "all functions, as it is written"); }
    const { lines } = await (await fetch(`lines?id=${encodeURIComponent(id)}`)).json();
    list.replaceChildren();
    add(lines);
    text($("log-note"), `${lines.length} lines of one request; clear the field to see all`);
  };
  $("follow").addEventListener("submit", (event) => { event.preventDefault(); follow($("id").value.trim()); });
  $("id").addEventListener("search", () => { if (!$("id").value) follow(""); });
  $("id").addEventListener("input", () => { if (!$("id").value && following) follow(""); });
  text($("log-note"), "all functions, as it is written");
  return (lines, leftOut) => {
    if (following) return;
    add(lines);
    if (leftOut) list.append(element("li", {}, element("time"), element("span"), element("span", { class: "text" }, `… ${leftOut} lines more than a page can show`)));
  };
}
