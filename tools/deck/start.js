// Formulas first, so that reveal.js measures slides as they will be seen.
renderMathInElement(document.querySelector(".slides"), {
  delimiters: [
    { left: "$$", right: "$$", display: true },
    { left: "$", right: "$", display: false },
  ],
  throwOnError: true,
});

// A frame that does not fill the window keeps its 16 : 9 shape, and reveal.js scales it as a whole.
Reveal.initialize({
  width: 1280,
  height: 720,
  margin: 0,
  center: false,
  hash: true,
  controls: false,
  progress: true,
  slideNumber: "c/t",
  transition: "none",
  pdfSeparateFragments: false,
  plugins: [RevealNotes],
});
