import { gunzipSync, inflateSync } from 'node:zlib'
import { parseExact } from '../json/parse-exact.ts'
import { Refusal } from './refusal.ts'

/** Deeper than any survey or trait; bounds the recursion of all that comes after. */
const DEEPEST = 64

/** The body's bytes, decompressed, at most `maxBytes` of them. */
export async function readBytes(request: Request, maxBytes: number): Promise<Buffer | Refusal> {
  const announced = request.headers.get('content-length')
  if (announced !== null && Number(announced) > maxBytes) return tooLarge(maxBytes)
  const bytes = await receive(request, announced !== null, maxBytes)
  return bytes instanceof Refusal
    ? bytes
    : decompress(bytes, request.headers.get('content-encoding'), maxBytes)
}

async function receive(request: Request, isAnnounced: boolean, maxBytes: number): Promise<Buffer | Refusal> {
  try {
    return isAnnounced ? Buffer.from(await request.arrayBuffer()) : await readStream(request, maxBytes)
  } catch {
    return new Refusal(400, 'the body broke off: send all of it')
  }
}

/** A body of unknown length is read only as far as it may go. */
async function readStream(request: Request, maxBytes: number): Promise<Buffer | Refusal> {
  if (request.body === null) return Buffer.alloc(0)
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body) {
    length += chunk.byteLength
    if (length > maxBytes) return tooLarge(maxBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function decompress(bytes: Buffer, encoding: string | null, maxBytes: number): Buffer | Refusal {
  try {
    switch (encoding?.trim().toLowerCase() ?? 'identity') {
      case '':
      case 'identity':
        return bytes
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(bytes, { maxOutputLength: maxBytes })
      case 'deflate':
        return inflateSync(bytes, { maxOutputLength: maxBytes })
      default:
        return new Refusal(400, 'the Content-Encoding is not supported: send gzip, deflate or none')
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null
    if (code === 'ERR_BUFFER_TOO_LARGE') return tooLarge(maxBytes)
    return new Refusal(400, 'the body is not what its Content-Encoding says: it does not decompress')
  }
}

function tooLarge(maxBytes: number): Refusal {
  return new Refusal(
    413,
    `the body is larger than ${maxBytes} bytes: send smaller batches, or raise server.max_body in refiner-sync.yaml`,
  )
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

export interface JsonBody {
  readonly text: string
  readonly value: unknown
}

/** The body as JSON: valid UTF-8 and not nested deeper than anything real. */
export function parseJson(bytes: Buffer): JsonBody | Refusal {
  if (bytes.length === 0) return new Refusal(400, 'the body is empty: send JSON')
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    return new Refusal(400, 'the body is not valid UTF-8')
  }
  let value: unknown
  try {
    value = parseExact(text)
  } catch {
    return new Refusal(400, 'the body is not valid JSON')
  }
  if (isDeeperThan(value, DEEPEST))
    return new Refusal(400, `the body is nested deeper than ${DEEPEST} levels`)
  return { text, value }
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  for (const inner of Object.values(value)) if (isDeeperThan(inner, levels - 1)) return true
  return false
}
