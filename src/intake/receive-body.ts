import { Refusal, tooLarge } from './refusal.ts'

/**
 * How long a body may take to come, in milliseconds. Who sends it has long given up by then: Segment waits 5 s. Headers
 * that do not end, and connections on which nothing moves, are ended by the HTTP server.
 */
const BODY_WITHIN_MS = 10_000
/** Bodies up to this announced size are not counted: ten thousand of them are what one server bears. */
const SMALL_BYTES = 16 * 1024

/** How much of bodies that are not here in whole may be in memory at once, over all requests. */
export class BodyRoom {
  #left: number

  constructor(bytes = 64 * 1024 * 1024) {
    this.#left = bytes
  }

  /** Whether there was room for as many bytes; they have to be given back. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false
    this.#left -= bytes
    return true
  }

  giveBack(bytes: number): void {
    this.#left += bytes
  }
}

/** One for the whole program: what it bounds is the program's memory. */
const SHARED_ROOM = new BodyRoom()

/** The bytes of a body as they were sent, at most `maxBytes` of them, or why they are not taken. */
export function receiveBody(
  request: Request,
  maxBytes: number,
  room: BodyRoom = SHARED_ROOM,
  withinMs = BODY_WITHIN_MS,
): Promise<Buffer | Refusal> {
  const announced = request.headers.get('content-length')
  const length = announced === null ? null : Number(announced)
  if (length !== null && length > maxBytes) return Promise.resolve(tooLarge(maxBytes))
  if (length === null || length > SMALL_BYTES) return receiveStream(request, maxBytes, room, withinMs)
  return receiveWhole(request, withinMs)
}

function receiveWhole(request: Request, withinMs: number): Promise<Buffer | Refusal> {
  const { promise, resolve } = Promise.withResolvers<Buffer | Refusal>()
  const timer = setTimeout(() => resolve(tooSlow(withinMs)), withinMs)
  const received = (bytes: Buffer | Refusal) => {
    clearTimeout(timer)
    resolve(bytes)
  }
  request
    .arrayBuffer()
    .then((bytes) => received(Buffer.from(bytes)))
    .catch(() => received(brokenOff()))
  return promise
}

/** A body that is large, or of unknown length, is read piece by piece, and only as far as it may go. */
async function receiveStream(
  request: Request,
  maxBytes: number,
  room: BodyRoom,
  withinMs: number,
): Promise<Buffer | Refusal> {
  if (request.body === null) return Buffer.alloc(0)
  const reader = request.body.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    void giveUp(reader)
  }, withinMs)
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (isLate) return tooSlow(withinMs)
      if (done) return Buffer.concat(chunks)
      const isOver = length + value.byteLength > maxBytes
      if (isOver || !room.take(value.byteLength)) {
        void giveUp(reader)
        return isOver ? tooLarge(maxBytes) : noRoom()
      }
      length += value.byteLength
      chunks.push(value)
    }
  } catch {
    return isLate ? tooSlow(withinMs) : brokenOff()
  } finally {
    clearTimeout(timer)
    room.giveBack(length)
  }
}

/** What comes after is not kept. A stream that has failed already says so here too, and has been judged. */
async function giveUp(reader: { cancel(): Promise<void> }): Promise<void> {
  await reader.cancel().catch(() => {})
}

function tooSlow(withinMs: number): Refusal {
  return new Refusal(408, `the body took longer than ${withinMs / 1000} seconds to come: send it in one go`)
}

function brokenOff(): Refusal {
  return new Refusal(400, 'the body broke off: send all of it')
}

function noRoom(): Refusal {
  return new Refusal(503, 'too many large bodies are on their way at once; send it again')
}
