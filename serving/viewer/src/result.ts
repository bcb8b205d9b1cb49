/** The result page: the face on its stage, and the controls beside it. */

import { Box3 } from "three";
import { Comparison } from "./viewer/comparison";
import { ExpressionSliders } from "./viewer/expressions";
import { Face } from "./viewer/face";
import { listenToKeys } from "./viewer/keys";
import { type Look, Wardrobe } from "./viewer/looks";
import type { FaceDescription } from "./viewer/photo";
import { Stage, type View } from "./viewer/stage";

const PICTURE_SIZE = 2048; // pixels of the longer side
const PICTURE_QUALITY = 0.92;

const viewer = document.querySelector<HTMLElement>("[data-viewer]")!;
open(viewer).catch(() => viewer.classList.add("failed"));

async function open(viewer: HTMLElement): Promise<void> {
  const { glb, albedo, json, photo } = viewer.dataset as Record<"glb" | "albedo" | "json" | "photo", string>;
  const part = <T extends HTMLElement>(name: string) => viewer.querySelector<T>(`[data-part="${name}"]`)!;
  const stage = new Stage(part<HTMLCanvasElement>("canvas"));
  const face = await Face.load(glb);
  const wardrobe = new Wardrobe(face, albedo);
  stage.show(wardrobe.group, face.mesh.geometry.boundingBox ?? new Box3());
  listenToKeys(stage);
  viewer.classList.add("ready");

  const controls = part<HTMLFormElement>("controls");
  const sliders = new ExpressionSliders(controls, face, stage);
  const number = (name: string) => Number((controls.elements.namedItem(name) as HTMLInputElement).value);
  let comparison: Comparison | undefined;

  const changes: Record<string, () => void | Promise<void>> = {
    look: async () => {
      await wardrobe.wear((controls.elements.namedItem("look") as RadioNodeList).value as Look);
      viewer.toggleAttribute("data-lit", wardrobe.lit);
    },
    "light-side": () => wardrobe.shineFrom(number("light-side"), number("light-height")),
    "light-height": () => wardrobe.shineFrom(number("light-side"), number("light-height")),
    "field-of-view": () => {
      stage.fieldOfView = number("field-of-view");
    },
    compare: async () => {
      comparison ??= await compareWith(photo, json);
      if ((controls.elements.namedItem("compare") as HTMLInputElement).checked) comparison.start();
      else comparison.stop();
    },
  };
  controls.addEventListener("input", async (event) => {
    await changes[(event.target as HTMLInputElement).name]?.();
    stage.wake();
  });

  const actions: Record<string, () => void> = {
    photo: () => sliders.set(face.photoExpression),
    neutral: () => sliders.set({}),
    save: () => save(),
  };
  viewer.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLButtonElement>("button");
    if (button?.dataset.yaw) turnTo({ yaw: Number(button.dataset.yaw), pitch: Number(button.dataset.pitch) });
    else actions[button?.dataset.action ?? ""]?.();
  });

  function turnTo(view: View): void {
    (controls.elements.namedItem("compare") as HTMLInputElement).checked = false; // the photo has one side only
    comparison?.stop();
    stage.turnTo(view);
  }

  async function compareWith(photoUrl: string, jsonUrl: string): Promise<Comparison> {
    const image = part<HTMLImageElement>("photo");
    image.src = photoUrl;
    const [description] = await Promise.all([fetch(jsonUrl).then((answer) => answer.json()), image.decode()]);
    return new Comparison(stage, image, part<HTMLInputElement>("line"), description as FaceDescription);
  }

  function save(): void {
    const model = stage.capture(PICTURE_SIZE);
    const picture = document.createElement("canvas");
    [picture.width, picture.height] = [model.width, model.height];
    const context = picture.getContext("2d")!;
    context.fillStyle = getComputedStyle(stage.canvas.parentElement!).backgroundColor;
    context.fillRect(0, 0, picture.width, picture.height);
    if (comparison) comparison.paint(context, model);
    else context.drawImage(model, 0, 0);
    const link = document.createElement("a");
    link.download = "face.jpg";
    picture.toBlob((blob) => {
      link.href = URL.createObjectURL(blob!);
      link.click();
      URL.revokeObjectURL(link.href);
    }, "image/jpeg", PICTURE_QUALITY);
  }
}
