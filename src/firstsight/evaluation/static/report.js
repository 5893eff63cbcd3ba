"use strict";
(() => {
  const root = document.documentElement;
  const recall = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* a file opened from disk may not */ } };

  const wanted = { lang: recall("firstsight-lang") ?? (navigator.language.startsWith("ko") ? "ko" : "en"),
                   theme: recall("firstsight-theme") ?? "auto" };
  const speak = (lang) => {
    root.lang = lang;
    document.title = root.dataset[lang === "ko" ? "titleKo" : "titleEn"];
    const words = new Intl.RelativeTimeFormat(lang, { numeric: "auto" });
    for (const time of document.querySelectorAll("time")) {
      const since = time.parentElement.querySelector(".since");
      const minutes = Math.round((Date.parse(time.dateTime) - Date.now()) / 60000);
      const [amount, unit] = Math.abs(minutes) < 60 ? [minutes, "minute"]
        : Math.abs(minutes) < 1440 ? [Math.round(minutes / 60), "hour"] : [Math.round(minutes / 1440), "day"];
      const now = lang === "ko" ? "방금" : "just now";
      since.textContent = ` (${amount === 0 ? now : words.format(amount, unit)})`;
    }
  };
  for (const input of document.querySelectorAll(".switches input")) {
    if (input.value === wanted[input.name]) input.checked = true;
    input.addEventListener("change", () => {
      remember(`firstsight-${input.name}`, input.value);
      if (input.name === "lang") speak(input.value);
    });
  }
  speak(document.querySelector("#lang-ko").checked ? "ko" : "en");

  for (const table of document.querySelectorAll("table.rows")) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const headers = [...table.tHead.rows[0].cells];
    const sort = (column, descending) => {
      const isNumber = headers[column].classList.contains("number");
      const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
      const order = rows.map((row) => [key(row), row]);
      order.sort(([a], [b]) => {
        if (!isNumber) return (descending ? -1 : 1) * a.localeCompare(b);
        if (a === "" || b === "") return (a === "") - (b === ""); // no score stands last both ways
        return (descending ? -1 : 1) * (a - b);
      });
      body.append(...order.map(([, row]) => row));
      headers.forEach((header, at) => {
        if (at === column) header.setAttribute("aria-sort", descending ? "descending" : "ascending");
        else header.removeAttribute("aria-sort");
      });
    };
    headers.forEach((header, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => {
        const was = header.getAttribute("aria-sort");
        sort(column, was ? was === "ascending" : header.classList.contains("number"));
      });
    });
  }
})();
