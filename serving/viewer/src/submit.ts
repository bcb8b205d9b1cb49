/** The form for photos: drop, previews, and sending it so that what was chosen stays while errors are shown. */

/** What a refused form answers with (`Problem` of the interface). */
interface Problem {
  readonly errors: readonly { readonly field: string; readonly message: string }[];
}

enhance(document.querySelector<HTMLFormElement>("[data-submit]")!);

function enhance(form: HTMLFormElement): void {
  const input = form.querySelector<HTMLInputElement>("#photo")!;
  const camera = form.querySelector<HTMLInputElement>("#camera")!;
  const drop = form.querySelector<HTMLElement>("[data-drop]")!;
  let photos: File[] = [];

  const choose = (files: Iterable<File>) => {
    photos = [...photos, ...files];
    showPreviews(form, photos, (removed) => {
      photos = photos.filter((photo) => photo !== removed);
      choose([]);
      input.focus();
    });
    setErrors(form, {});
  };
  for (const each of [input, camera]) {
    each.addEventListener("change", () => {
      choose([...each.files!]);
      each.value = ""; // what is sent are the photos that have been gathered
    });
  }
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.toggleAttribute("data-over", kind === "dragenter" || kind === "dragover");
    });
  }
  drop.addEventListener("drop", (event) => choose([...event.dataTransfer!.files]));

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const large = photos.find((photo) => photo.size > Number(form.dataset.mostBytes));
    if (large) return setErrors(form, { photo: form.dataset.tooLarge!.replace("%name%", large.name) });
    const data = new FormData(form);
    data.delete("photo");
    for (const photo of photos) data.append("photo", photo, photo.name);
    send(form, data);
  });
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
  request.onerror = () => busy(false, status.dataset.unreachable!);
  request.onload = () => {
    const answer = request.response as ({ page?: string } & Partial<Problem>) | null;
    if (answer?.page) return location.assign(answer.page);
    busy(false, answer?.errors?.length ? "" : status.dataset.unreachable!);
    setErrors(form, Object.fromEntries((answer?.errors ?? []).map(({ field, message }) => [field, message])));
  };
  setErrors(form, {});
  busy(true, status.dataset.sending!);
  request.send(data);
}

/** Write errors beside their fields, and lead to the first. */
function setErrors(form: HTMLFormElement, errors: Readonly<Record<string, string>>): void {
  for (const line of form.querySelectorAll<HTMLElement>("[data-wrong]")) {
    const message = errors[line.dataset.wrong!] ?? "";
    line.textContent = message;
    line.hidden = !message;
    const field = form.querySelector(`[aria-describedby~="${line.id}"]`);
    if (message) field?.setAttribute("aria-invalid", "true");
    else field?.removeAttribute("aria-invalid");
  }
  form.querySelector<HTMLElement>("[aria-invalid]")?.focus();
}

function showPreviews(form: HTMLFormElement, photos: readonly File[], remove: (photo: File) => void): void {
  const list = form.querySelector<HTMLElement>("[data-previews]")!;
  const template = form.querySelector<HTMLTemplateElement>("template[data-preview]")!;
  for (const image of list.querySelectorAll("img")) URL.revokeObjectURL(image.src);
  list.replaceChildren(
    ...photos.map((photo) => {
      const item = template.content.cloneNode(true) as DocumentFragment;
      item.querySelector("img")!.src = URL.createObjectURL(photo);
      item.querySelector("span")!.textContent = photo.name;
      const button = item.querySelector("button")!;
      button.ariaLabel = button.ariaLabel!.replace("%name%", photo.name);
      button.addEventListener("click", () => remove(photo));
      return item;
    }),
  );
  list.hidden = photos.length === 0;
  form.toggleAttribute("data-chosen", photos.length > 0);
}
