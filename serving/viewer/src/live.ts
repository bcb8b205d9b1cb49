/** The live page: the browser's camera on one side, the face that moves with it on the other. */

import { DirectionalLight, Group, HemisphereLight } from "three";
import { Basis, LiveHead } from "./live/basis";
import { type Answer, Link } from "./live/link";
import { Recording, save } from "./live/recording";
import { Stage } from "./viewer/stage";

const LONGER_SIDE = 640; // pixels of the frames that are sent
const QUALITY = 0.8;
const PARTS_OF_A_SECOND = 4; // how often figures are shown
const CALM = 20; // frames, over which figures are a mean

/** What ends a session, by the code of the connection. */
const ENDS: Readonly<Record<number, string>> = { 1013: "busy", 4000: "idle", 4001: "over" };

class LivePage {
  private readonly video: HTMLVideoElement;
  private readonly canvas = document.createElement("canvas");
  private readonly recording = new Recording();
  private readonly rates = { times: [] as number[], took: [] as number[], shown: 0 };
  private stage?: Stage;
  private basis?: Basis;
  private head?: LiveHead;
  private link?: Link;
  private camera?: MediaStream;
  private ended = false;

  constructor(private readonly page: HTMLElement) {
    this.video = this.part<HTMLVideoElement>("video");
    this.part("start").addEventListener("click", () => void this.start());
    this.part("stop").addEventListener("click", () => this.stop("stopped"));
    const record = this.part<HTMLInputElement>("record");
    record.addEventListener("change", () => {
      if (record.checked) this.recording.clear();
      this.showRecording();
    });
    this.part("csv").addEventListener("click", () => save(this.recording.csv(this.basis!), "face.csv"));
    this.part("glb").addEventListener("click", () => save(this.recording.glb(this.basis!), "face.glb"));
    window.addEventListener("pagehide", () => this.stop("stopped"));
  }

  private part<T extends HTMLElement>(name: string): T {
    return this.page.querySelector<T>(`[data-part="${name}"]`)!;
  }

  /** Say something of what is going on, by the name of the text in the page. */
  private say(name: string): void {
    this.part("status").textContent = this.page.dataset[name] ?? "";
    this.page.dataset.state = name;
  }

  private async start(): Promise<void> {
    const button = this.part<HTMLButtonElement>("start");
    button.disabled = true;
    this.ended = false;
    try {
      if (!(await this.openCamera())) return;
      this.say("loading");
      if (!(await this.openStage())) return;
      this.connect();
    } finally {
      button.disabled = false;
    }
  }

  private async openCamera(): Promise<boolean> {
    if (!navigator.mediaDevices?.getUserMedia) return this.fail("insecure");
    this.say("asking");
    try {
      this.camera = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } },
        audio: false,
      });
    } catch (error) {
      const name = error instanceof DOMException ? error.name : "";
      const kinds: Record<string, string> = { NotAllowedError: "denied", NotFoundError: "missing", OverconstrainedError: "missing" };
      return this.fail(kinds[name] ?? "taken");
    }
    this.camera.getVideoTracks()[0]!.addEventListener("ended", () => this.stop("gone"));
    this.video.srcObject = this.camera;
    await this.video.play();
    return true;
  }

  private async openStage(): Promise<boolean> {
    if (this.stage) return true;
    try {
      this.stage = new Stage(this.part<HTMLCanvasElement>("canvas"));
    } catch {
      return this.fail("webgl");
    }
    try {
      const bar = this.part<HTMLProgressElement>("loading");
      bar.hidden = false;
      this.basis = await Basis.load(this.page.dataset.basis!, Number(this.page.dataset.bytes), (part) => (bar.value = part));
      bar.hidden = true;
    } catch {
      this.stage = undefined;
      return this.fail("unreachable");
    }
    this.head = new LiveHead(this.basis);
    const group = new Group();
    const key = new DirectionalLight(0xfff4e8, 2.6);
    key.position.set(-0.6, 0.8, 1.5);
    group.add(this.head.mesh, key, new HemisphereLight(0xffffff, 0xb0a69c, 2.1));
    group.scale.x = -1; // as in a mirror, like the picture beside it
    await this.stage.show(group, this.head.bounds);
    return true;
  }

  private connect(): void {
    this.link = new Link(this.page.dataset.socket!, {
      ready: (model) => {
        if (model !== this.basis!.model) return this.stop("updated");
        this.say("running");
        this.watch();
      },
      answered: (answer, took, at) => this.show(answer, took, at),
      ended: (code) => this.stop(ENDS[code] ?? "unreachable"),
    });
  }

  /** Send the newest frame whenever the line is free: frames that come while it is not are left out. */
  private watch(): void {
    if (this.ended) return;
    this.video.requestVideoFrameCallback(() => {
      if (this.link?.free && !document.hidden) this.sendFrame(this.link);
      this.watch();
    });
  }

  private sendFrame(link: Link): void {
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.min(1, LONGER_SIDE / Math.max(videoWidth, videoHeight));
    const [width, height] = [Math.round(videoWidth * scale), Math.round(videoHeight * scale)];
    if (this.canvas.width !== width || this.canvas.height !== height) [this.canvas.width, this.canvas.height] = [width, height];
    link.reserve();
    this.canvas.getContext("2d", { willReadFrequently: true })!.drawImage(this.video, 0, 0, width, height);
    this.canvas.toBlob((picture) => void link.send(picture), "image/jpeg", QUALITY);
  }

  private show(answer: Answer | undefined, took: number, at: number): void {
    this.count(took);
    const state = answer ? "running" : "nobody";
    if (this.page.dataset.state !== state) this.say(state);
    if (!answer) return;
    if (answer.identity) {
      this.head!.become(answer.identity);
      this.recording.become(answer.identity);
    }
    this.head!.show(answer.expression, answer.turn);
    this.stage!.wake();
    if (this.part<HTMLInputElement>("record").checked) {
      this.recording.add(answer, at);
      this.showRecording();
    }
  }

  private count(took: number): void {
    const now = performance.now();
    const { times, took: waits } = this.rates;
    times.push(now);
    waits.push(took);
    if (times.length > CALM) [times.shift(), waits.shift()];
    if (times.length < 2 || now - this.rates.shown < 1000 / PARTS_OF_A_SECOND) return;
    this.rates.shown = now;
    const rate = (1000 * (times.length - 1)) / (now - times[0]!);
    const wait = waits.reduce((sum, each) => sum + each, 0) / waits.length;
    const text = this.page.dataset.figures!.replace("%rate%", rate.toFixed(0)).replace("%wait%", wait.toFixed(0));
    this.part("figures").textContent = text;
  }

  private showRecording(): void {
    const text = this.recording.empty ? "" : this.page.dataset.recorded!.replace("%seconds%", this.recording.seconds.toFixed(1));
    this.part("recorded").textContent = text;
    const busy = this.part<HTMLInputElement>("record").checked;
    for (const name of ["csv", "glb"]) this.part<HTMLButtonElement>(name).disabled = busy || this.recording.empty;
  }

  private fail(name: string): false {
    this.stop(name);
    return false;
  }

  /** Let camera and connection go; what was recorded stays. */
  private stop(name: string): void {
    if (this.ended) return;
    this.ended = true;
    this.link?.close();
    this.link = undefined;
    for (const track of this.camera?.getTracks() ?? []) track.stop();
    this.video.srcObject = this.camera = null as never;
    this.part<HTMLInputElement>("record").checked = false;
    this.part<HTMLProgressElement>("loading").hidden = true;
    this.part("figures").textContent = "";
    this.showRecording();
    this.say(name);
  }
}

new LivePage(document.querySelector<HTMLElement>("[data-live]")!);
