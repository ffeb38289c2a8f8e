"use strict";
(() => {
  const { posts, hostConfig } = JSON.parse(document.getElementById("data").textContent);

  // What Teams understands in a TextBlock and in a fact: emphasis, links and lists, nothing more.
  const markdown = new markdownit("default", { html: false, linkify: false });
  markdown.disable([
    "backticks", "blockquote", "code", "fence", "heading", "hr", "html_block", "html_inline", "image", "lheading",
    "reference", "strikethrough", "table",
  ]);
  AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
    result.outputHtml = markdown.render(text);
    result.didProcess = true;
  };

  const isWeb = (url) => /^https?:\/\//i.test(url ?? "");

  function draw(content, place) {
    const card = new AdaptiveCards.AdaptiveCard();
    card.hostConfig = new AdaptiveCards.HostConfig(hostConfig);
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
  const complaints = places.map((place) => draw(posts[Number(place.dataset.post)], place));

  const isVisible = (element) => element.getClientRects().length > 0;

  // What does not fit into its card, or into its own box where the rest of it is cut off.
  function overflowing(place) {
    const edge = place.getBoundingClientRect().right + 0.5;
    return [...place.querySelectorAll("*")].filter((element) => {
      const style = getComputedStyle(element);
      const cut = style.overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1;
      return isVisible(element) && style.display !== "inline" && (cut || element.getBoundingClientRect().right > edge);
    });
  }

  // Read by the tests: what a person sees of each card.
  window.report = () => places.map((place, index) => ({
    text: place.innerText,
    links: [...place.querySelectorAll("a[href], [data-url]")].filter(isVisible)
      .map((link) => link.dataset.url ?? link.getAttribute("href")),
    overflow: overflowing(place).map((element) => `${element.className}: ${element.innerText.slice(0, 80)}`),
    complaints: complaints[index],
    height: place.getBoundingClientRect().height,
  }));
})();
