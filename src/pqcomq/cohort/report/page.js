"use strict";
// Tables that sort by a click on a column's title, and a field that keeps the rows with a word.
for (const table of document.querySelectorAll("table.sorts")) {
  const body = table.tBodies[0];
  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const value = (row) => {
        const text = row.cells[column].textContent.trim().replace("−", "-");
        const number = Number.parseFloat(text.replace(/^[+<]/, "").replace("∞", "Infinity"));
        return Number.isNaN(number) ? text : number;
      };
      const order = (one, other) => {
        const [a, b] = [value(one), value(other)];
        if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1; // what there is none of stays last
        return (a < b ? -1 : a > b ? 1 : 0) * (up ? 1 : -1);
      };
      body.append(...Array.from(body.rows).sort(order));
    });
  });
  if (body.rows.length < 8) continue;
  const field = document.createElement("input");
  field.type = "search";
  field.placeholder = "show rows with …";
  field.setAttribute("aria-label", "show rows with these words");
  table.before(field);
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of body.rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  });
}
