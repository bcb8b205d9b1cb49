/** Downloads that say how far they are, and go on where a connection broke. */

const ATTEMPTS = 4;
const PAUSE_MS = 700;
const ASK_SECONDS = 2;

/** The whole file at an address; `tell` hears which part of `bytes`, its size, is there. Rejects with `Lost`. */
export async function fetchWhole(url: string, bytes: number, tell: (part: number) => void): Promise<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      // A part is a part of the file as it is, so that what has arrived uncompressed counts.
      const answer = await fetch(url, length ? { headers: { Range: `bytes=${length}-` } } : {});
      if (!answer.ok || !answer.body) throw new Refusal(`answered ${answer.status}`);
      if (length && answer.status !== 206) [length, chunks.length] = [0, 0];
      const reader = answer.body.getReader();
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        chunks.push(next.value);
        length += next.value.length;
        if (bytes) tell(Math.min(1, length / bytes));
      }
      return join(chunks, length);
    } catch (error) {
      if (error instanceof Refusal || attempt === ATTEMPTS) throw new Lost(url, { cause: error });
      await new Promise((resume) => setTimeout(resume, PAUSE_MS * attempt));
    }
  }
}

/** What a worker may have to make first: asked for again until it is there. `tellWaiting` hears each time that it is not. */
export async function fetchMade(url: string, tellWaiting: () => void): Promise<Response> {
  let answer = await fetch(url);
  while (answer.status === 202) {
    tellWaiting();
    const seconds = Number(answer.headers.get("Retry-After")) || ASK_SECONDS;
    await new Promise((resume) => setTimeout(resume, 1000 * seconds));
    answer = await fetch(url);
  }
  return answer;
}

/** A file that did not come. */
export class Lost extends Error {}

/** The server has answered, and not with the file. */
class Refusal extends Error {}

function join(chunks: readonly Uint8Array[], length: number): ArrayBuffer {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole.buffer;
}
