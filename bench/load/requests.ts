import { refinerWebhook, segmentMessage } from '../messages.ts'

/** What a request carries: a message of 0.5 KB, a hundred of them, or a webhook of 2 KB. */
export type BodyKind = 'message' | 'batch' | 'webhook'

/** Messages in a request of kind `batch`. */
export const MESSAGES_A_BATCH = 100

/** A request whose bytes are ready, but for the IDs by which each is a new one. */
export interface RequestBytes {
  readonly bytes: Uint8Array
  /** Makes it request number `n`; answers the ID of the response that a webhook is about. */
  number(n: number): string
}

const ID = '11111111-2222-4333-8444-555555555555'
const USER = 'user-123456'
/** So many users take part. */
const USERS = 1000

/** Builds requests to `url`. `run` is in all their IDs: two runs against one database send no copies. */
export function requestMaker(
  url: URL,
  headers: Readonly<Record<string, string>>,
  kind: BodyKind,
  run: number,
): () => RequestBytes {
  const body = bodyOf(kind)
  const lines = [
    `POST ${url.pathname} HTTP/1.1`,
    `Host: ${url.host}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ]
  const template = Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)
  const ids = placesOf(template, ID)
  const users = placesOf(template, USER)
  const prefix = `${run.toString(16).padStart(8, '0')}-2222-4333-8444-`
  return () => {
    const bytes = Buffer.from(template)
    return {
      bytes,
      number(n) {
        let id = ''
        for (const [index, place] of ids.entries()) {
          const number = n * ids.length + index
          id = prefix + number.toString(16).padStart(12, '0')
          bytes.write(id, place, 'latin1')
          const user = users[index]
          if (user !== undefined)
            bytes.write(`user-${String(number % USERS).padStart(6, '0')}`, user, 'latin1')
        }
        return id
      },
    }
  }
}

function bodyOf(kind: BodyKind): string {
  switch (kind) {
    case 'message':
      return segmentMessage(USER, ID)
    case 'batch':
      return `{"batch":[${Array.from({ length: MESSAGES_A_BATCH }, () => segmentMessage(USER, ID)).join(',')}]}`
    case 'webhook':
      return refinerWebhook(USER, ID)
  }
}

function placesOf(bytes: Buffer, text: string): number[] {
  const places: number[] = []
  for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + text.length)) places.push(at)
  return places
}
