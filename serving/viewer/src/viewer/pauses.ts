/** Pauses between pieces of work, in which the page does what people ask of it. */

const LONGEST_MS = 10_000; // that anybody waits for a frame

/** Let the page do what else there is. */
export function pause(): Promise<void> {
  return new Promise((resume) => setTimeout(resume));
}

/** Wait until a picture is seen on the page, or cannot be had. */
export async function seen(picture: HTMLImageElement): Promise<void> {
  await picture.decode().catch(() => {});
  await new Promise((resume) => requestAnimationFrame(resume)); // before the frame that shows it
  await new Promise((resume) => requestAnimationFrame(resume)); // that frame is over
}

/**
 * Wait until all that was asked of WebGL is done. Where the processor draws, a first frame takes it a quarter of a second,
 * and a page that shows it before would stand still for so long.
 */
export async function drawn(gl: WebGL2RenderingContext): Promise<void> {
  const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
  const end = performance.now() + LONGEST_MS;
  gl.flush();
  while (fence && !gl.isContextLost() && performance.now() < end) {
    await pause(); // the answer changes between tasks only
    if (gl.getSyncParameter(fence, gl.SYNC_STATUS) === gl.SIGNALED) break;
  }
  gl.deleteSync(fence);
}
