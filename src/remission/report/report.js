// Search over all pages: every word must occur; matches in titles come first. The sections are in index.js.
(() => {
  const field = document.getElementById("find");
  const list = document.getElementById("found");
  const known = (window.SECTIONS || []).map((one) => ({ ...one, low: `${one.title} ${one.text}`.toLowerCase() }));
  const entry = (one, word) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = one.href;
    link.textContent = one.title;
    const about = document.createElement("small");
    const place = Math.max(0, one.text.toLowerCase().indexOf(word) - 60);
    about.textContent = one.text.slice(place, place + 160);
    item.append(link, about);
    return item;
  };
  const search = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    list.replaceChildren();
    if (!words.length) return;
    const hits = known.filter((one) => words.every((word) => one.low.includes(word)));
    hits.sort((a, b) => b.title.toLowerCase().includes(words[0]) - a.title.toLowerCase().includes(words[0]));
    if (!hits.length) {
      const none = document.createElement("li");
      none.textContent = "Nothing found.";
      list.append(none);
    }
    for (const one of hits.slice(0, 20)) list.append(entry(one, words[0]));
  };
  field.form.addEventListener("submit", (event) => event.preventDefault());
  field.addEventListener("input", search);
})();
