/** The result page: the face on its stage, and the controls beside it. */

import { waitForSlowFiles } from "./slow";
import { Comparison } from "./viewer/comparison";
import { ExpressionSliders } from "./viewer/expressions";
import { Face } from "./viewer/face";
import { listenToKeys } from "./viewer/keys";
import { type Look, Wardrobe } from "./viewer/looks";
import { savePicture } from "./viewer/picture";
import { Stage } from "./viewer/stage";

waitForSlowFiles(document);
const viewer = document.querySelector<HTMLElement>("[data-viewer]")!;
open(viewer).catch(() => viewer.classList.add("failed"));

async function open(viewer: HTMLElement): Promise<void> {
  const part = <T extends HTMLElement>(name: string) => viewer.querySelector<T>(`[data-part="${name}"]`)!;
  const { glb, albedo, json, photo } = viewer.dataset as Record<"glb" | "albedo" | "json" | "photo", string>;
  const form = part<HTMLFormElement>("controls");
  const stage = new Stage(part<HTMLCanvasElement>("canvas"));
  const face = await Face.load(glb);
  const wardrobe = new Wardrobe(face, albedo);
  stage.show(wardrobe.group, face.bounds);
  const sliders = new ExpressionSliders(form, face, stage);
  const comparison = new Comparison(stage, part<HTMLImageElement>("photo"), part<HTMLInputElement>("line"), photo, json);
  const control = (name: string) => form.elements.namedItem(name) as HTMLInputElement;

  const shine = () => wardrobe.shineFrom(Number(control("light-side").value), Number(control("light-height").value));
  const changes: Record<string, () => void | Promise<void>> = {
    look: async () => {
      await wardrobe.wear(control("look").value as Look);
      viewer.toggleAttribute("data-lit", wardrobe.lit);
    },
    "light-side": shine,
    "light-height": shine,
    "field-of-view": () => stage.see(Number(control("field-of-view").value)),
    compare: () => comparison.turn(control("compare").checked),
  };
  form.addEventListener("input", async (event) => {
    await changes[(event.target as HTMLInputElement).name]?.();
    stage.wake();
  });

  const actions: Record<string, (button: HTMLButtonElement) => void> = {
    turn: ({ dataset }) => {
      control("compare").checked = false; // the photo has one side only
      comparison.turn(false);
      stage.turnTo({ yaw: Number(dataset.yaw), pitch: Number(dataset.pitch) });
    },
    photo: () => sliders.set(face.photoExpression),
    neutral: () => sliders.set({}),
    save: () => savePicture(stage, comparison),
  };
  viewer.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLButtonElement>("[data-action]");
    if (button) actions[button.dataset.action!]?.(button);
  });
  listenToKeys(stage);
  viewer.classList.add("ready");
}
