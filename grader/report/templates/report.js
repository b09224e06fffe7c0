"use strict";
// Sorts a table by the column whose heading is pressed; shows the rows that hold all the words of a search.
// Without it every page reads the same, in the order it was written.
if (location.hash === "#back") document.body.classList.add("led-here"); // for good: links within the page change it
for (const button of document.querySelectorAll("button.sort")) {
  button.addEventListener("click", () => {
    const heading = button.parentElement;
    const table = heading.closest("table");
    const column = heading.cellIndex;
    const numeric = heading.classList.contains("n");
    const now = heading.getAttribute("aria-sort");
    const down = now ? now === "ascending" : numeric;
    const key = (row) => {
      const cell = row.cells[column];
      if (!numeric) return cell.textContent.trim();
      return cell.dataset.value === "" ? NaN : Number(cell.dataset.value);
    };
    const compare = (a, b) => {
      if (!numeric) return down ? b[0].localeCompare(a[0]) : a[0].localeCompare(b[0]);
      if (Number.isNaN(a[0]) || Number.isNaN(b[0])) return Number.isNaN(a[0]) - Number.isNaN(b[0]);
      return down ? b[0] - a[0] : a[0] - b[0];
    };
    const rows = Array.from(table.tBodies[0].rows, (row) => [key(row), row]).sort(compare);
    table.tBodies[0].append(...rows.map((pair) => pair[1]));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  });
}
for (const input of document.querySelectorAll("input[data-table]")) {
  const rows = document.getElementById(input.dataset.table).tBodies[0].rows;
  const said = input.parentElement.querySelector("output");
  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    said.textContent = words.length ? `${shown} of ${rows.length}` : "";
  };
  input.addEventListener("input", filter);
  if (input.value) filter();
}
