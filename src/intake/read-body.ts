import { gunzipSync, inflateSync } from 'node:zlib'
import { parseExact } from '../json/parse-exact.ts'
import { isNestedDeeperThan } from '../json/nesting.ts'
import { type BodyRoom, receiveBody } from './receive-body.ts'
import { Refusal, tooLarge } from './refusal.ts'

/** Deeper than any survey or trait; bounds the recursion of all that comes after. */
const DEEPEST = 64

/** The body's bytes, decompressed, at most `maxBytes` of them. */
export async function readBytes(
  request: Request,
  maxBytes: number,
  room?: BodyRoom,
): Promise<Buffer | Refusal> {
  const bytes = await receiveBody(request, maxBytes, room)
  if (bytes instanceof Refusal) return bytes
  const encoding = request.headers.get('content-encoding')
  return encoding === null ? bytes : decompress(bytes, encoding, maxBytes)
}

function decompress(bytes: Buffer, encoding: string, maxBytes: number): Buffer | Refusal {
  try {
    switch (encoding.trim().toLowerCase()) {
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
  // Looked for before it is parsed: a parser that recurses is not to meet it either.
  if (isNestedDeeperThan(text, DEEPEST))
    return new Refusal(400, `the body is nested deeper than ${DEEPEST} levels`)
  try {
    return { text, value: parseExact(text) }
  } catch {
    return new Refusal(400, 'the body is not valid JSON')
  }
}
