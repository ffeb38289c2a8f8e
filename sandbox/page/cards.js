"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);

  function readAsTeams() {
    // Emphasis, links and lists, nothing more.
    const markdown = new markdownit("default", { html: false, linkify: false });
    markdown.disable([
      "backticks", "blockquote", "code", "fence", "heading", "hr", "html_block", "html_inline", "image", "lheading",
      "reference", "strikethrough", "table",
    ]);
    return markdown;
  }

  const readAll = () => new markdownit("default", { html: true, linkify: true });
  const markdown = data.markdown === "all" ? readAll() : readAsTeams();
  AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
    result.outputHtml = markdown.render(text);
    result.didProcess = true;
  };

  const isWeb = (url) => /^https?:\/\//i.test(url ?? "");

  function draw(content, place) {
    const card = new AdaptiveCards.AdaptiveCard();
    card.hostConfig = new AdaptiveCards.HostConfig(data.hostConfigs[place.closest("[data-theme]").dataset.theme]);
    card.onExecuteAction = (action) => {
      if (isWeb(action.url)) window.open(action.url, "_blank", "noopener");
    };
    const context = new AdaptiveCards.SerializationContext();
    // The renderer's own pattern for `lang` remembers where it last matched, and so refuses every second card's.
    AdaptiveCards.CardElement.langProperty.regEx.lastIndex = 0;
    card.parse(content, context);
    const drawn = card.render();
    if (drawn) place.append(drawn);
    place.classList.toggle("full", content.msteams?.width === "Full");
    for (const link of place.querySelectorAll("a")) link.rel = "noopener noreferrer";
    for (const action of card.getAllActions()) {
      if (action.renderedElement && action.url) action.renderedElement.dataset.url = action.url;
    }
    return Array.from({ length: context.eventCount }, (_, index) => context.getEventAt(index).message);
  }

  const places = [...document.querySelectorAll(".card")];
  const complaints = places.map((place) => draw(data.posts[Number(place.dataset.post)], place));

  const isVisible = (element) => element.getClientRects().length > 0;

  // What is wider than its own box or reaches over the edge of its card.
  function overflowing(place) {
    const edge = place.getBoundingClientRect().right + 0.5;
    const elements = [...place.querySelectorAll("*")].filter(isVisible);
    // A container that bleeds is wider than the box around it on purpose: up to the edge of the card.
    const bleeding = elements.filter((element) => Number.parseFloat(getComputedStyle(element).marginRight) < 0);
    return elements.filter((element) => {
      if (getComputedStyle(element).display === "inline") return false;
      const isTooWide = element.scrollWidth > element.clientWidth && !bleeding.some((one) => one.parentNode === element);
      return isTooWide || element.getBoundingClientRect().right > edge;
    });
  }

  // Read by the tests: what a person sees of each card.
  window.report = () => places.map((place, index) => ({
    text: place.innerText,
    links: [...place.querySelectorAll("a[href], [data-url]")].filter(isVisible)
      .map((link) => link.dataset.url ?? link.getAttribute("href")),
    overflow: overflowing(place).map((element) => `${element.className}: ${element.innerText.slice(0, 80)}`),
    complaints: complaints[index],
    elements: [...place.querySelectorAll("*")].map((element) => element.localName),
    height: place.getBoundingClientRect().height,
  }));
})();
