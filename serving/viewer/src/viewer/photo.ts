/** The photo behind the face: the camera that took it, and the part of it that is shown. */

import { Camera, Matrix3, Matrix4, Vector3 } from "three";

/** What the viewer reads of face.json. */
export interface FaceDescription {
  readonly photo: { readonly width: number; readonly height: number };
  readonly detection: { readonly box: readonly [number, number, number, number] };
  readonly camera: { readonly matrix: readonly (readonly [number, number, number, number])[] };
}

/** A part of the photo in its pixels; it may reach beyond the edges. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const ROOM = 2.1; // the region's sides in sizes of the face box, so that hair and neck are seen too
const MILLIMETRES = 1000; // in a metre
const NEAR = 100; // millimetres
const FAR = 100_000;

/** The region of a given shape around the face. */
export function regionAround(face: FaceDescription, aspect: number): Region {
  const [x0, y0, x1, y1] = face.detection.box;
  const height = ROOM * Math.max(y1 - y0, (x1 - x0) / aspect);
  const width = height * aspect;
  return { left: (x0 + x1 - width) / 2, top: (y0 + y1 - height) / 2, width, height };
}

/** A camera that draws the mesh onto the photo: the matrix of face.json (millimetres to pixels) as a clip matrix. */
export function photoCamera(face: FaceDescription, region: Region): Camera {
  const [x, y, w] = face.camera.matrix;
  if (!x || !y || !w) throw new Error("face.json has no camera");
  // Photo pixels have their centres at whole numbers, clip space has its edges at -1 and 1.
  const column = (i: number) => (2 * (x[i]! + (0.5 - region.left) * w[i]!)) / region.width - w[i]!;
  const row = (i: number) => w[i]! - (2 * (y[i]! + (0.5 - region.top) * w[i]!)) / region.height;
  const millimetre = Math.hypot(w[0], w[1], w[2]); // what a step of one away from the camera adds to w
  const depth = (i: number) => ((FAR + NEAR) * w[i]! - (i === 3 ? 2 * FAR * NEAR * millimetre : 0)) / (FAR - NEAR);
  const camera = new Camera();
  camera.projectionMatrix
    .set(
      column(0), column(1), column(2), column(3),
      row(0), row(1), row(2), row(3),
      depth(0), depth(1), depth(2), depth(3),
      w[0], w[1], w[2], w[3],
    )
    .multiply(new Matrix4().makeScale(MILLIMETRES, MILLIMETRES, MILLIMETRES));
  stand(camera, x, y, w);
  camera.projectionMatrixInverse.copy(camera.projectionMatrix).invert();
  return camera;
}

type Row = readonly [number, number, number, number];

/** Put the camera where it stood: the picture stays, and light falls as that camera sees it. */
function stand(camera: Camera, x: Row, y: Row, w: Row): void {
  const rows = new Matrix3().set(x[0], x[1], x[2], y[0], y[1], y[2], w[0], w[1], w[2]);
  const place = new Vector3(-x[3], -y[3], -w[3]).applyMatrix3(rows.invert()).divideScalar(MILLIMETRES);
  const ahead = new Vector3(w[0], w[1], w[2]).normalize();
  const pose = new Matrix4().lookAt(place, place.clone().add(ahead), new Vector3(0, 1, 0)).setPosition(place);
  camera.matrixAutoUpdate = false;
  camera.matrix.copy(pose);
  camera.matrixWorld.copy(pose);
  camera.matrixWorldInverse.copy(pose).invert();
  camera.projectionMatrix.multiply(pose); // which undoes the view that is put in before it
}
