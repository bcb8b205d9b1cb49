/** The viewer: the face on its stage, and the controls beside it. */

import { offerRoom } from "./viewer/room";
import { Comparison } from "./viewer/comparison";
import { ExpressionSliders } from "./viewer/expressions";
import { Face } from "./viewer/face";
import { followPointer } from "./viewer/gaze";
import { listenToKeys } from "./viewer/keys";
import { dragLight } from "./viewer/lamp";
import { type Look, Wardrobe } from "./viewer/looks";
import { Moods } from "./viewer/moods";
import { pause } from "./viewer/pauses";
import { savePicture } from "./viewer/picture";
import { Stage } from "./viewer/stage";

/** What the page says of the face. */
type Source = Record<"albedo" | "material" | "lights" | "json" | "photo" | "expressions", string>;

/** Open the viewer in its place on the page, with the face of a file that is on its way. */
export async function openViewer(viewer: HTMLElement, file: Promise<ArrayBuffer>): Promise<void> {
  const part = <T extends HTMLElement>(name: string) => viewer.querySelector<T>(`[data-part="${name}"]`)!;
  const source = viewer.dataset as Source;
  const form = part<HTMLFormElement>("controls");
  const stage = new Stage(part<HTMLCanvasElement>("canvas"));
  const face = await Face.read(await file);
  await pause();
  const telling = part("telling");
  const tell = (what: "waiting" | "failed" | "") => (telling.textContent = what && telling.dataset[what]!);
  const told = { tellWaiting: () => tell("waiting"), tellChanged: () => stage.wake() };
  const wardrobe = new Wardrobe(face, { ...source, material: source.material ?? "", ...told });
  await stage.show(wardrobe.group, face.bounds);
  viewer.classList.add("ready");
  viewer.toggleAttribute("data-haired", wardrobe.hasHair);
  stage.turnRound();
  await pause();

  const comparison = new Comparison(stage, part<HTMLImageElement>("photo"), part<HTMLInputElement>("line"), source.photo, source.json);
  const sliders = new ExpressionSliders(form, face, stage);
  const moods = new Moods(form, sliders, face.photoExpression);
  const control = (name: string) => form.elements.namedItem(name) as HTMLInputElement;

  const wear = async () => {
    const look = control("look").value as Look;
    try {
      await wardrobe.wear(look);
      tell("");
      if (look === "relit") surround();
    } catch {
      tell("failed");
      control("look").value = "texture";
      await wardrobe.wear("texture");
    }
    viewer.toggleAttribute("data-lit", wardrobe.lit);
    viewer.toggleAttribute("data-relit", wardrobe.lit && look === "relit");
  };
  const surround = () => {
    const around = wardrobe.surround(control("surroundings").value);
    if (!around) return;
    control("light-side").value = String(around.side);
    control("light-height").value = String(around.height);
    control("light-side").dispatchEvent(new Event("input", { bubbles: true })); // the pad follows, and the lamp
  };
  const shineFrom = () => wardrobe.shineFrom(Number(control("light-side").value), Number(control("light-height").value));
  const shine = async () => {
    shineFrom();
    if (wardrobe.lit) return;
    control("look").value = "albedo"; // the light of the photo cannot be moved, that on the skin can
    await wear();
  };
  const changes: Record<string, () => void | Promise<void>> = {
    look: wear,
    "light-side": shine,
    "light-height": shine,
    surroundings: surround,
    exposure: () => {
      stage.exposure = Number(control("exposure").value);
    },
    "field-of-view": () => stage.see(Number(control("field-of-view").value)),
    compare: () => comparison.turn(control("compare").checked),
    hair: () => void (wardrobe.hair = control("hair").checked),
    "hair-colour": () => wardrobe.colourHair(control("hair-colour").value),
  };
  form.addEventListener("input", async (event) => {
    await changes[(event.target as HTMLInputElement).name]?.();
    stage.wake();
  });
  dragLight(part("lamp"), control("light-side"), control("light-height"));
  followPointer(part("stage"), sliders, () => control("gaze").checked);

  const turning = viewer.querySelector<HTMLButtonElement>('[data-action="auto"]')!;
  const autoTurn = (on: boolean) => {
    stage.autoTurn = on;
    turning.ariaPressed = String(on);
  };
  stage.canvas.addEventListener("taken", () => (turning.ariaPressed = "false"));
  const stopComparing = () => {
    control("compare").checked = false; // the photo has one side only
    return comparison.turn(false);
  };
  const actions: Record<string, (button: HTMLButtonElement) => void> = {
    turn: ({ dataset }) => {
      void stopComparing();
      autoTurn(false);
      stage.turnTo({ yaw: Number(dataset.yaw), pitch: Number(dataset.pitch) });
    },
    auto: () => {
      void stopComparing();
      autoTurn(!stage.autoTurn);
    },
    reset: () => {
      void stopComparing();
      autoTurn(false);
      form.reset();
      void wear();
      wardrobe.hair = true;
      wardrobe.colourHair(undefined);
      moods.show(face.photoExpression);
      stage.see(Number(control("field-of-view").value));
      stage.exposure = Number(control("exposure").value);
      stage.reset();
    },
    full: () => void (document.fullscreenElement ? document.exitFullscreen() : part("stage").requestFullscreen()),
    undye: () => {
      wardrobe.colourHair(undefined);
      stage.wake();
    },
    photo: () => moods.show(face.photoExpression),
    neutral: () => moods.show({}),
    save: () =>
      savePicture(stage, comparison, { transparent: control("transparent").checked, double: control("double").checked }),
  };
  viewer.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLButtonElement>("[data-action]");
    if (button) actions[button.dataset.action!]?.(button);
  });
  viewer.querySelector<HTMLElement>('[data-action="full"]')!.hidden = !document.fullscreenEnabled;
  void offerRoom(viewer.querySelector<HTMLButtonElement>('[data-action="room"]')!, stage, face);
  listenToKeys(stage);
  await face.learn(source.expressions);
  sliders.express();
  part<HTMLFieldSetElement>("mood").disabled = false;
  viewer.classList.add("moving");
}
