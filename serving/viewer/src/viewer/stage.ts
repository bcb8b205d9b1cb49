/** The stage: one canvas, one orbiting camera, and a frame loop that sleeps while nothing moves. */

import {
  Box3,
  type Camera,
  CanvasTexture,
  Mesh,
  MeshBasicMaterial,
  NeutralToneMapping,
  type Object3D,
  PCFShadowMap,
  PerspectiveCamera,
  PlaneGeometry,
  Scene,
  Spherical,
  Vector3,
  WebGLRenderer,
} from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { drawn, pause } from "./pauses";

/** How the head is turned, in degrees, signed as in face.json: yaw to the right of the picture, pitch up. */
export interface View {
  readonly yaw: number;
  readonly pitch: number;
}

export const FRONT: View = { yaw: 0, pitch: 0 };

const MARGIN = 1.1; // room around the head
const TURN_MS = 450;
const ROUND_MS = 12_000; // once round, when a head is first shown
const MAX_PIXEL_RATIO = 2;
const MAX_PIXEL_RATIO_WITHOUT_CARD = 1;
const AUTO_TURN = 2.2; // as OrbitControls counts: once round in half a minute
const SHADOW_PIXELS = 128;
const SHADOW_SIZE = 1.5; // of the widest of the head
const STEEPEST = 85; // degrees; straight from above the camera would not know which way is up

export class Stage {
  readonly scene = new Scene();
  readonly camera = new PerspectiveCamera(30, 1, 0.01, 20);
  private readonly renderer: WebGLRenderer;
  private readonly card = hasGraphicsCard(); // without one the page stands still while a frame is shown
  private readonly orbit: OrbitControls;
  private readonly home = new Box3();
  private through: Camera = this.camera;
  private readonly ground: Mesh;
  private turning?: { start: number; duration: number; from: View; to: View; target: Vector3 };
  private frame = 0;

  constructor(readonly canvas: HTMLCanvasElement) {
    this.renderer = new WebGLRenderer({ canvas, antialias: this.card, alpha: true });
    this.renderer.debug.checkShaderErrors = false; // to ask for them waits for the card
    this.renderer.toneMapping = NeutralToneMapping; // of what is lit: keeps hues; a photo's colours are not touched
    this.renderer.shadowMap.enabled = true;
    this.renderer.shadowMap.type = PCFShadowMap;
    this.ground = contactShadow();
    this.scene.add(this.ground);
    this.renderer.setPixelRatio(Math.min(window.devicePixelRatio, this.card ? MAX_PIXEL_RATIO : MAX_PIXEL_RATIO_WITHOUT_CARD));
    this.orbit = new OrbitControls(this.camera, canvas);
    this.orbit.enableDamping = true;
    this.orbit.dampingFactor = 0.12;
    this.orbit.minPolarAngle = radians(90 - STEEPEST);
    this.orbit.maxPolarAngle = radians(90 + STEEPEST);
    this.orbit.addEventListener("start", () => {
      this.turning = undefined;
      this.orbit.autoRotate = false;
      canvas.dispatchEvent(new Event("taken"));
    });
    this.orbit.addEventListener("change", () => this.wake());
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement!);
  }

  /**
   * Put a thing on the stage and look at the whole of it from the front. The first frame is drawn when this is over, and
   * the page has not waited for it, if the canvas is not displayed before.
   */
  async show(thing: Object3D, bounds: Box3): Promise<void> {
    this.scene.add(thing);
    await this.renderer.compileAsync(this.scene, this.camera); // aside, where the first frame would hold up the page
    await this.settled(); // not everywhere does that wait for the programs
    this.home.copy(bounds);
    const size = bounds.getSize(new Vector3());
    const middle = bounds.getCenter(new Vector3());
    this.ground.position.set(middle.x, bounds.min.y - 0.004, middle.z);
    this.ground.scale.setScalar(SHADOW_SIZE * Math.max(size.x, size.z));
    this.orbit.target.copy(bounds.getCenter(new Vector3()));
    this.fill();
    this.place(FRONT, this.fittingDistance());
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    await pause();
    this.drawNow();
    await this.settled();
    if (this.card) this.wake(); // a browser may have thrown away what it did not display
  }

  private settled(): Promise<void> {
    return drawn(this.renderer.getContext() as WebGL2RenderingContext);
  }

  /** How the head is turned now. */
  get view(): View {
    const offset = new Spherical().setFromVector3(this.camera.position.clone().sub(this.orbit.target));
    return { yaw: -degrees(offset.theta), pitch: degrees(offset.phi) - 90 };
  }

  /** Turn the head, in a short movement unless the person asked their system for less motion. */
  turnTo(to: View): void {
    this.turning = { start: performance.now(), duration: TURN_MS, from: this.view, to, target: this.orbit.target.clone() };
    if (lessMotion()) this.turn(Infinity);
    this.wake();
  }

  /**
   * Turn the head once round, slowly, so that all of it is seen; whatever a person does ends it. Nothing happens for those
   * who asked their system for less motion, and without a graphics card, where so many frames would hold up the page.
   */
  turnRound(): void {
    if (lessMotion() || !this.card) return;
    const from = this.view;
    const to = { ...from, yaw: from.yaw + 360 };
    this.turning = { start: performance.now(), duration: ROUND_MS, from, to, target: this.orbit.target.clone() };
    this.wake();
  }

  /** Turn the head by some degrees, at once. */
  turnBy(yaw: number, pitch: number): void {
    this.turning = undefined;
    this.place({ yaw: this.view.yaw + yaw, pitch: this.view.pitch + pitch }, this.orbit.getDistance());
  }

  /** Come nearer (factor below 1) or go away. */
  zoomBy(factor: number): void {
    const distance = this.orbit.getDistance() * factor;
    const fitting = this.fittingDistance();
    this.place(this.view, Math.min(Math.max(distance, fitting / 8), fitting * 4));
  }

  /** Move the picture by parts of the head's height, right and up. */
  panBy(right: number, up: number): void {
    const height = this.home.max.y - this.home.min.y;
    const [x, y] = [new Vector3(), new Vector3()];
    this.camera.matrixWorld.extractBasis(x, y, new Vector3());
    this.orbit.target.addScaledVector(x, -right * height).addScaledVector(y, -up * height);
    this.place(this.view, this.orbit.getDistance());
  }

  /** Back to the whole head from the front. */
  reset(): void {
    this.place(this.view, this.fittingDistance());
    this.turnTo(FRONT);
  }

  /** Let the head turn by itself until somebody takes hold of it. */
  set autoTurn(on: boolean) {
    this.turning = undefined;
    this.orbit.autoRotate = on;
    this.orbit.autoRotateSpeed = AUTO_TURN;
    this.wake();
  }

  get autoTurn(): boolean {
    return this.orbit.autoRotate;
  }

  /** How much brighter what is lit comes out, in stops; the photo's own colours stay. */
  set exposure(stops: number) {
    this.renderer.toneMappingExposure = 2 ** stops;
  }

  /** See with a vertical field of view in degrees; the camera moves so that the head keeps its size. */
  see(angle: number): void {
    const nearness = this.orbit.getDistance() / this.fittingDistance();
    this.camera.fov = angle;
    this.camera.updateProjectionMatrix();
    this.place(this.view, nearness * this.fittingDistance());
  }

  /** Look through another camera, which nobody can move; `undefined` is the orbiting one again. */
  lookThrough(camera: Camera | undefined): void {
    this.through = camera ?? this.camera;
    this.ground.visible = camera === undefined;
    this.orbit.enabled = camera === undefined;
    this.wake();
  }

  /** Show the head in a room, so many metres before the eyes, until the session ends. */
  async enterRoom(session: XRSession, away: number): Promise<void> {
    const { xr } = this.renderer;
    const place = this.scene.position.clone();
    const middle = this.home.getCenter(new Vector3());
    xr.enabled = true;
    xr.setReferenceSpaceType("local");
    await xr.setSession(session);
    this.scene.position.set(-middle.x, -middle.y, -away - middle.z);
    this.renderer.setAnimationLoop(() => this.renderer.render(this.scene, this.camera));
    session.addEventListener("end", () => {
      this.renderer.setAnimationLoop(null);
      xr.enabled = false;
      this.scene.position.copy(place);
      this.resize();
    });
  }

  /** Draw a frame soon: the way to say that something has changed. */
  wake(): void {
    if (!this.frame) this.frame = requestAnimationFrame((now) => this.draw(now));
  }

  /** A copy of the current picture, transparent around the head, with its longer side of so many pixels. */
  capture(longerSide: number, shadow: boolean): HTMLCanvasElement {
    const seen = this.ground.visible;
    this.ground.visible &&= shadow;
    const ratio = this.renderer.getPixelRatio();
    const { width, height } = this.canvas.parentElement!.getBoundingClientRect();
    const scale = longerSide / Math.max(width, height);
    const copy = document.createElement("canvas");
    [copy.width, copy.height] = [Math.round(width * scale), Math.round(height * scale)];
    this.renderer.setPixelRatio(1);
    this.renderer.setSize(copy.width, copy.height, false);
    this.drawNow();
    copy.getContext("2d")!.drawImage(this.canvas, 0, 0); // in the task that drew it, later the canvas may be empty
    this.renderer.setPixelRatio(ratio);
    this.ground.visible = seen;
    this.resize();
    return copy;
  }

  private drawNow(): void {
    this.renderer.render(this.scene, this.through);
  }

  private draw(now: number): void {
    this.frame = 0;
    this.turn(now);
    this.orbit.update(); // fires `change`, which wakes the next frame, as long as it still glides
    this.drawNow();
    if (this.orbit.autoRotate) this.wake();
  }

  private turn(now: number): void {
    if (!this.turning) return;
    const { start, duration, from, to, target } = this.turning;
    const time = Math.min(Math.max(now - start, 0) / duration, 1);
    const part = time * time * (3 - 2 * time);
    this.orbit.target.lerpVectors(target, this.home.getCenter(new Vector3()), part);
    if (time >= 1) this.turning = undefined;
    this.place(
      { yaw: from.yaw + (to.yaw - from.yaw) * part, pitch: from.pitch + (to.pitch - from.pitch) * part },
      this.orbit.getDistance(),
    );
  }

  private place({ yaw, pitch }: View, distance: number): void {
    const steep = Math.min(Math.max(pitch, -STEEPEST), STEEPEST);
    const offset = new Vector3().setFromSphericalCoords(distance, radians(90 + steep), radians(-yaw));
    this.camera.position.copy(this.orbit.target).add(offset);
    this.orbit.update(); // here, for what it changes in a frame asks for one more
    this.wake();
  }

  private fittingDistance(): number {
    const size = this.home.getSize(new Vector3());
    const wide = Math.max(size.x, size.z); // also when turned to a profile
    const half = (MARGIN * Math.max(size.y, wide / this.camera.aspect)) / 2;
    return half / Math.tan(radians(this.camera.fov) / 2) + size.z / 4; // the outline lies before the middle
  }

  /** Fill the stage with the canvas. */
  private fill(): void {
    const { clientWidth, clientHeight } = this.canvas.parentElement!;
    if (!clientWidth || !clientHeight) return;
    this.renderer.setSize(clientWidth, clientHeight, false);
    this.camera.aspect = clientWidth / clientHeight;
    this.camera.updateProjectionMatrix();
  }

  private resize(): void {
    if (this.home.isEmpty()) return;
    const before = this.fittingDistance();
    this.fill();
    this.place(this.view, (this.orbit.getDistance() * this.fittingDistance()) / before);
    this.drawNow(); // resizing has emptied the canvas
  }
}

function lessMotion(): boolean {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Whether a graphics card draws. Otherwise the processor does, and the page stands still while it does. */
function hasGraphicsCard(): boolean {
  const context = document.createElement("canvas").getContext("webgl2");
  const about = context?.getExtension("WEBGL_debug_renderer_info");
  const name = about ? String(context!.getParameter(about.UNMASKED_RENDERER_WEBGL)) : "";
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  return !/swiftshader|llvmpipe|software|basic render/i.test(name);
}

/** A soft dark spot under the head, as if it hung just above a table. */
function contactShadow(): Mesh {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SHADOW_PIXELS;
  const context = canvas.getContext("2d")!;
  const middle = SHADOW_PIXELS / 2;
  const gradient = context.createRadialGradient(middle, middle, 0, middle, middle, middle);
  for (const [part, dark] of [[0, 0.5], [0.35, 0.32], [0.7, 0.08], [1, 0]] as const) {
    gradient.addColorStop(part, `rgba(20, 16, 14, ${dark})`);
  }
  context.fillStyle = gradient;
  context.fillRect(0, 0, SHADOW_PIXELS, SHADOW_PIXELS);
  const material = new MeshBasicMaterial({ map: new CanvasTexture(canvas), transparent: true, depthWrite: false, toneMapped: false });
  const ground = new Mesh(new PlaneGeometry(1, 1), material);
  ground.rotation.x = -Math.PI / 2;
  return ground;
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

function degrees(radians: number): number {
  return (radians * 180) / Math.PI;
}
