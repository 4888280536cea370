extension HTMLReport {
    /// Legends and the gallery: a page of cards at a time, so that thousands of images stay usable.
    static let script = #"""

        for (const box of document.querySelectorAll("[data-toggle]")) {
          box.addEventListener("change", () => {
            for (const curve of document.querySelectorAll(`[data-curve="${box.dataset.toggle}"]`))
              curve.toggleAttribute("hidden", !box.checked);
          });
        }
        const gallery = JSON.parse(document.getElementById("gallery-data").textContent);
        if (gallery) {
          const figures = ["F1", "best F1", "AUC", "AP", "area over the threshold"], perPage = 24;
          const find = id => document.getElementById(id);
          const [figure, row, order, filter, cards] = ["sort-figure", "sort-row", "sort-order", "filter", "cards"].map(find);
          const add = (list, text, value) => list.append(new Option(text, value));
          figures.forEach((name, index) => add(figure, name, index));
          add(figure, "image probability", "p");
          add(figure, "name", "n");
          gallery.rows.forEach((name, index) => add(row, name, index));
          let page = 0;
          const element = (tag, text, kind) => {
            const made = document.createElement(tag);
            if (text !== undefined) made.textContent = text;
            if (kind) made.className = kind;
            return made;
          };
          const score = image => {
            if (figure.value === "p") return image.probability;
            const place = image.rows.indexOf(Number(row.value));
            return place < 0 ? null : image.figures[place][figure.value];
          };
          const sorted = () => {
            const kept = gallery.images.filter(image => filter.value === "all" || (filter.value === "m") === image.manipulated);
            const sign = Number(order.value);
            if (figure.value === "n") return kept.sort((a, b) => -sign * (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
            return kept.sort((a, b) => {
              const x = score(a), y = score(b);
              if (x == null || y == null) return (x == null) - (y == null);
              return sign * (x - y);
            });
          };
          const cell = (image, part, title, note) => {
            const made = element("figure"), picture = element("i");
            picture.style.width = image.width + "px";
            picture.style.height = image.height + "px";
            picture.style.backgroundImage = `url("thumbnails/${encodeURIComponent(image.file)}")`;
            picture.style.backgroundPosition = -part * image.width + "px 0";
            picture.setAttribute("role", "img");
            picture.setAttribute("aria-label", `${title} of ${image.name}`);
            const caption = element("figcaption", title);
            if (note) caption.append(element("span", note));
            made.append(picture, caption);
            return made;
          };
          const show = () => {
            const images = sorted(), last = Math.max(0, Math.ceil(images.length / perPage) - 1);
            page = Math.min(Math.max(page, 0), last);
            cards.replaceChildren(...images.slice(page * perPage, (page + 1) * perPage).map(image => {
              const card = element("article", undefined, "card"), title = element("h4", image.name);
              title.append(element("span", image.manipulated ? "manipulated" : "authentic", image.manipulated ? "badge m" : "badge"));
              title.append(element("span", `probability ${image.probability.toFixed(3)}` +
                (image.probability >= gallery.threshold ? ", found" : ""), "badge p"));
              const cells = element("div", undefined, "cells");
              cells.append(cell(image, 0, "image"), cell(image, 1, "truth"));
              image.rows.forEach((place, index) => {
                const [f1, , auc, , area] = image.figures[index];
                const note = f1 == null ? `area ${area.toFixed(3)}` : `F1 ${f1.toFixed(3)}` + (auc == null ? "" : `, AUC ${auc.toFixed(3)}`);
                cells.append(cell(image, index + 2, gallery.rows[place], note));
              });
              card.append(title, cells);
              return card;
            }));
            find("position").textContent = images.length ? `${page + 1} of ${last + 1}` : "no images";
            find("previous").disabled = page === 0;
            find("next").disabled = page === last;
          };
          for (const control of [figure, row, order, filter]) control.addEventListener("change", () => { page = 0; show(); });
          find("previous").addEventListener("click", () => { page--; show(); });
          find("next").addEventListener("click", () => { page++; show(); });
          show();
        }

        """#
}
