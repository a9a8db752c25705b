// Rows that stay the same elements while their figures change: focus and selection survive a tick.

export const $ = (id) => document.getElementById(id);

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

export function text(node, value) {
  const wanted = value == null ? "–" : String(value);
  if (node.textContent !== wanted) node.textContent = wanted;
}

// `make` returns [element, update]; update gets the item at each tick.
export function keyedRows(parent, make) {
  const known = new Map();
  return (items, keyOf) => {
    const seen = new Set();
    items.forEach((item, index) => {
      const key = keyOf(item);
      seen.add(key);
      if (!known.has(key)) known.set(key, make(item));
      const [node, update] = known.get(key);
      update(item);
      if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
    });
    for (const [key, [node]] of known) if (!seen.has(key)) { node.remove(); known.delete(key); }
  };
}

export function tableRow(columns) {
  const cells = columns.map((name) => element("td", { class: name }));
  return [element("tr", {}, ...cells), cells];
}

export const size = (bytes) => {
  const units = ["B", "KB", "MB", "GB"];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) { bytes /= 1000; unit += 1; }
  return `${unit ? bytes.toFixed(1) : bytes} ${units[unit]}`;
};
