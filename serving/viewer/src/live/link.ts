/** The line to the live process: one frame at a time goes out, and the next when its answer is here. */

const SUBPROTOCOL = "deep3d.live.1";
const POSE = 8;
const EXPRESSIONS = 64;
const WEIGHTS = 52;
const EYES = 4;

/** What the live process says of a frame with a face. */
export interface Answer {
  readonly turn: Float32Array; // radians about x, y, z
  readonly expression: Float32Array; // 64
  readonly weights: Float32Array; // ARKit's 52
  readonly eyes: Float32Array; // yaw and pitch of the left eye and the right one, radians
  readonly identity?: Float32Array; // 80, when it has changed
}

export interface Listener {
  /** The process is ready for frames of this face model. */
  ready(model: string): void;
  /** An answer, without a face if there is none; the milliseconds that it took, and those since the camera began. */
  answered(answer: Answer | undefined, took: number, at: number): void;
  /** The connection is over, by the code of its end (RFC 6455, or one of ours). */
  ended(code: number): void;
}

export class Link {
  private readonly socket: WebSocket;
  private readonly began = performance.now();
  private number = 0;
  private waiting?: { number: number; sent: number; at: number };
  private open = false;

  constructor(url: string, private readonly listener: Listener) {
    this.socket = new WebSocket(url, SUBPROTOCOL);
    this.socket.binaryType = "arraybuffer";
    this.socket.addEventListener("message", ({ data }) => this.hear(data as string | ArrayBuffer));
    this.socket.addEventListener("close", ({ code }) => {
      this.open = false;
      listener.ended(code);
    });
  }

  /** Whether a frame may go now. */
  get free(): boolean {
    return this.open && !this.waiting;
  }

  /** Hold the line for a frame that was taken just now and is still being packed. */
  reserve(): void {
    const now = performance.now();
    this.waiting = { number: ++this.number, sent: now, at: now - this.began };
  }

  /** Send the frame that the line is held for; without one it is let go. */
  async send(picture: Blob | null): Promise<void> {
    const { waiting } = this;
    if (!waiting) return;
    const content = picture && (await picture.arrayBuffer());
    if (!content || this.socket.readyState !== WebSocket.OPEN) {
      this.waiting = undefined;
      return;
    }
    const message = new Uint8Array(8 + content.byteLength);
    const head = new DataView(message.buffer);
    head.setUint32(0, waiting.number, true);
    head.setUint32(4, Math.round(waiting.at), true);
    message.set(new Uint8Array(content), 8);
    this.socket.send(message);
  }

  close(): void {
    this.socket.close(1000);
  }

  private hear(data: string | ArrayBuffer): void {
    if (typeof data === "string") {
      this.open = true;
      return this.listener.ready((JSON.parse(data) as { model: string }).model);
    }
    const { waiting } = this;
    if (!waiting || new DataView(data).getUint32(0, true) !== waiting.number) return;
    this.waiting = undefined;
    this.listener.answered(parse(data), performance.now() - waiting.sent, waiting.at);
  }
}

function parse(data: ArrayBuffer): Answer | undefined {
  if (!new DataView(data).getUint8(4)) return undefined;
  const numbers = new Float32Array(data, 8);
  let at = 0;
  const take = (count: number) => numbers.subarray(at, (at += count));
  const pose = take(POSE);
  const [expression, weights, eyes] = [take(EXPRESSIONS), take(WEIGHTS), take(EYES)];
  const identity = numbers.length > at ? numbers.subarray(at) : undefined;
  return { turn: pose.subarray(0, 3), expression, weights, eyes, identity };
}
