/** The form for photos: choose or drop, previews, and sending it so that what was chosen stays while errors are shown. */

/** What a refused form answers with (`Problem` of the interface). */
interface Problem {
  readonly errors: readonly { readonly field: string; readonly message: string }[];
}

const PHOTO = /\.(jpe?g|png|webp|hei[cf]|gif|tiff?|bmp|avif|jxl|jp2)$/i;

enhance(document.querySelector<HTMLFormElement>("[data-submit]")!);
playFilm(document.querySelector<HTMLVideoElement>("[data-film]"));

function enhance(form: HTMLFormElement): void {
  const input = form.querySelector<HTMLInputElement>("#photo")!;
  const camera = form.querySelector<HTMLInputElement>("#camera")!;
  let photos: File[] = [];

  const choose = (files: Iterable<File>) => {
    photos = [...photos, ...files];
    showPreviews(form, photos, (removed) => {
      photos = photos.filter((photo) => photo !== removed);
      choose([]);
      input.focus();
    });
    const wrong = whatIsWrong(form, photos);
    setErrors(form, wrong ? { photo: wrong } : {}, false);
  };
  for (const each of [input, camera]) {
    each.addEventListener("change", () => {
      choose([...each.files!]);
      each.value = ""; // what is sent are the photos that have been gathered
    });
  }
  // A photo that misses the box is meant for it all the same.
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      if (!(event as DragEvent).dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      form.toggleAttribute("data-over", kind === "dragenter" || kind === "dragover");
    });
  }
  document.addEventListener("drop", (event) => choose([...(event.dataTransfer?.files ?? [])]));

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wrong = whatIsWrong(form, photos);
    if (wrong) return setErrors(form, { photo: wrong });
    const data = new FormData(form);
    data.delete("photo");
    for (const photo of photos) data.append("photo", photo, photo.name);
    send(form, data);
  });
}

/** What the server would refuse, told before anything is sent. */
function whatIsWrong(form: HTMLFormElement, photos: readonly File[]): string | undefined {
  const { mostBytes, mostPhotos, mostTogether, tooLarge, tooMany, tooMuch, noPhoto } = form.dataset as Record<string, string>;
  const other = photos.find((photo) => !photo.type.startsWith("image/") && !PHOTO.test(photo.name));
  if (other) return noPhoto!.replace("%name%", other.name);
  const large = photos.find((photo) => photo.size > Number(mostBytes));
  if (large) return tooLarge!.replace("%name%", large.name);
  if (photos.length > Number(mostPhotos)) return tooMany!.replace("%sent%", String(photos.length));
  if (photos.reduce((sum, photo) => sum + photo.size, 0) > Number(mostTogether)) return tooMuch;
  return undefined;
}

/** Send the form; the answer leads on, or says what is wrong beside each field. */
function send(form: HTMLFormElement, data: FormData): void {
  const button = form.querySelector<HTMLButtonElement>("[type=submit]")!;
  const progress = form.querySelector<HTMLProgressElement>("[data-upload]")!;
  const status = form.querySelector<HTMLElement>("[data-status]")!;
  const busy = (yes: boolean, text: string) => {
    button.disabled = yes;
    progress.classList.toggle("unseen", !yes);
    status.textContent = text;
  };
  const request = new XMLHttpRequest(); // fetch does not tell how much has been sent
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.responseType = "json";
  request.upload.onprogress = (event) => (progress.value = event.lengthComputable ? event.loaded / event.total : 0);
  const refuse = (errors: readonly { readonly field: string; readonly message: string }[]) => {
    busy(false, "");
    setErrors(form, Object.fromEntries(errors.map(({ field, message }) => [field, message])));
  };
  const unreachable = [{ field: "form", message: status.dataset.unreachable! }];
  request.onerror = () => refuse(unreachable);
  request.onload = () => {
    const answer = request.response as ({ page?: string } & Partial<Problem>) | null;
    if (answer?.page) return location.assign(answer.page);
    refuse(answer?.errors?.length ? answer.errors : unreachable);
  };
  setErrors(form, {});
  busy(true, status.dataset.sending!);
  request.send(data);
}

/** Write errors beside their fields, and lead to the first. */
function setErrors(form: HTMLFormElement, errors: Readonly<Record<string, string>>, lead = true): void {
  for (const line of form.querySelectorAll<HTMLElement>("[data-wrong]")) {
    const message = errors[line.dataset.wrong!] ?? "";
    line.textContent = message;
    line.hidden = !message;
    const field = form.querySelector(`[aria-describedby~="${line.id}"]`);
    if (message) field?.setAttribute("aria-invalid", "true");
    else field?.removeAttribute("aria-invalid");
  }
  if (errors.email) form.querySelector("details")!.open = true;
  if (lead) form.querySelector<HTMLElement>("[aria-invalid]")?.focus();
}

function showPreviews(form: HTMLFormElement, photos: readonly File[], remove: (photo: File) => void): void {
  const list = form.querySelector<HTMLElement>("[data-previews]")!;
  const template = form.querySelector<HTMLTemplateElement>("template[data-preview]")!;
  for (const image of list.querySelectorAll("img")) URL.revokeObjectURL(image.src);
  list.replaceChildren(
    ...photos.map((photo) => {
      const item = template.content.cloneNode(true) as DocumentFragment;
      const image = item.querySelector("img")!;
      const instead = item.querySelector<HTMLElement>(".no-picture")!;
      image.addEventListener("error", () => void askForPreview(form, photo, image, instead), { once: true });
      image.src = URL.createObjectURL(photo);
      item.querySelector(".small")!.textContent = photo.name;
      const button = item.querySelector("button")!;
      button.ariaLabel = button.ariaLabel!.replace("%name%", photo.name);
      button.addEventListener("click", () => remove(photo));
      return item;
    }),
  );
  list.hidden = photos.length === 0;
  form.toggleAttribute("data-chosen", photos.length > 0);
}

/** A photo that this browser cannot show, such as HEIC, as the server sees it; an icon where that cannot read it either. */
async function askForPreview(
  form: HTMLFormElement,
  photo: File,
  image: HTMLImageElement,
  instead: HTMLElement,
): Promise<void> {
  const swap = (shown: boolean) => ([image.hidden, instead.hidden] = [!shown, shown]);
  swap(false);
  if (photo.size > Number(form.dataset.mostBytes)) return;
  const data = new FormData();
  data.append("photo", photo, photo.name);
  const answer = await fetch(form.dataset.previewAt!, { method: "POST", body: data }).catch(() => undefined);
  if (!answer?.ok) return;
  image.src = URL.createObjectURL(await answer.blob());
  swap(true);
}

/** Let the head turn once the page is there, unless the person asked their system for less motion. */
function playFilm(film: HTMLVideoElement | null): void {
  if (!film || window.matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const play = () => film.play().catch(() => {}); // where it may not play, its first picture stays
  if (document.readyState === "complete") void play();
  else window.addEventListener("load", play);
}
