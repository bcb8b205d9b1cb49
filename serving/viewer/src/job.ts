/** The page of a job that is not done yet: follows it by server-sent events, or by asking where those do not come. */

/** What the page reads of a job's state (`JobAnswer` of the interface). */
interface Job {
  readonly status: "submitted" | "queued" | "running" | "done" | "failed" | "expired";
  readonly progress: number;
  readonly stage: string;
  readonly position: number;
  readonly wait_seconds: number;
}

const ASK_MS = 2000;

follow(document.querySelector<HTMLElement>("[data-job]")!);

function follow(page: HTMLElement): void {
  const notify = offerNotification(page.querySelector<HTMLButtonElement>("[data-notify]")!);
  const events = new EventSource(page.dataset.events!);
  let asking: number | undefined;

  const tell = (job: Job) => {
    if (["submitted", "queued", "running"].includes(job.status)) return show(page, job);
    events.close();
    notify();
    location.reload(); // the same address now shows the face, or why there is none
  };
  const ask = async () => {
    asking = undefined;
    try {
      const answer = await fetch(page.dataset.job!, { headers: { Accept: "application/json" } });
      if (answer.status === 410 || answer.status === 404) return location.reload();
      if (answer.ok) tell((await answer.json()) as Job);
    } catch {
      line(page).textContent = line(page).dataset.lost!;
    }
    if (events.readyState !== EventSource.OPEN) asking = window.setTimeout(ask, ASK_MS);
  };
  events.onmessage = (event) => tell(JSON.parse(event.data as string) as Job);
  addEventListener("offline", () => (line(page).textContent = line(page).dataset.lost!)); // an open stream says nothing
  addEventListener("online", () => (asking ??= window.setTimeout(ask)));
  events.onerror = () => (asking ??= window.setTimeout(ask, ASK_MS));
}

function show(page: HTMLElement, job: Job): void {
  const running = job.status === "running";
  const texts = line(page).dataset as Record<"running" | "next" | "position" | "wait", string>;
  const place = job.position ? texts.position.replace("%number%", String(job.position)) : texts.next;
  const wait = texts.wait.replace("%seconds%", String(Math.max(1, Math.round(job.wait_seconds))));
  const text = `${running ? texts.running : place} ${wait}`;
  if (line(page).textContent !== text) line(page).textContent = text; // it is read aloud at each change
  page.querySelector<HTMLProgressElement>("[data-progress]")!.value = job.progress;

  const stages = [...page.querySelectorAll<HTMLElement>("[data-stage]")];
  const now = Math.max(0, stages.findIndex((stage) => stage.dataset.stage === job.stage));
  stages.forEach((stage, number) => {
    stage.classList.toggle("past", number < now);
    if (number === now) stage.setAttribute("aria-current", "step");
    else stage.removeAttribute("aria-current");
  });
}

function line(page: HTMLElement): HTMLElement {
  return page.querySelector<HTMLElement>("[data-line]")!;
}

/** Let people ask to be told by their system; gives what tells them, if they look elsewhere. */
function offerNotification(button: HTMLButtonElement): () => void {
  if (!("Notification" in window) || Notification.permission === "denied") return () => {};
  button.hidden = Notification.permission === "granted";
  button.addEventListener("click", async () => {
    await Notification.requestPermission();
    button.hidden = true;
  });
  return () => {
    if (document.hidden && Notification.permission === "granted") new Notification(button.dataset.title!);
  };
}
