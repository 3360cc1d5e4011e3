// Arrow keys turn slides; without them the page scrolls.
(() => {
  const slides = [...document.querySelectorAll(".slides section")];
  if (!slides.length) return;
  document.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, PageDown: 1, PageUp: -1 }[event.key];
    if (!step || event.target.closest(".scroll")) return;
    const here = slides.findIndex((slide) => slide.getBoundingClientRect().bottom > 10);
    const next = slides[Math.min(Math.max(here + step, 0), slides.length - 1)];
    event.preventDefault();
    next.scrollIntoView();
  });
})();
