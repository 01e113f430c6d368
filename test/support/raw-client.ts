import { connect } from 'node:net'
import { deadline } from './loop.ts'

/** One answer of HTTP, as it came over the socket. */
export interface RawAnswer {
  readonly status: number
  readonly headers: string
  readonly body: string
}

/** What to send: text as Latin-1, so that every byte can be written. */
export type Bytes = string | Uint8Array

/**
 * Sends bytes as they are, and waits for so many answers with a Content-Length; then goes away. Answers fewer where the
 * server closes before. Rejects at the deadline: the server hangs.
 */
export async function exchange(url: string, sent: Bytes, answers = 1): Promise<readonly RawAnswer[]> {
  const { hostname, port } = new URL(url)
  const { promise, resolve, reject } = Promise.withResolvers<readonly RawAnswer[]>()
  const limit = deadline()
  let received = ''
  const socket = connect(Number(port), hostname, () => {
    socket.write(typeof sent === 'string' ? Buffer.from(sent, 'latin1') : sent)
  })
  const late = () => reject(new Error(`no answer to: ${Buffer.from(sent).toString('latin1').slice(0, 200)}`))
  limit.addEventListener('abort', late)
  socket.on('data', (bytes) => {
    received += bytes.toString('latin1')
    const read = readAnswers(received)
    if (read.length >= answers) resolve(read)
  })
  // Not a fault of its own: the server closes while the client is still sending.
  socket.on('error', () => {})
  socket.on('close', () => resolve(readAnswers(received)))
  try {
    return await promise
  } finally {
    limit.removeEventListener('abort', late)
    socket.destroy()
  }
}

function readAnswers(text: string): RawAnswer[] {
  const answers: RawAnswer[] = []
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\r\n\r\n', at)
    if (end < 0) break
    const headers = text.slice(at, end)
    const length = Number(/^content-length: (\d+)/im.exec(headers)?.[1] ?? 0)
    const body = text.slice(end + 4, end + 4 + length)
    if (body.length < length) break
    answers.push({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(headers)?.[1]), headers, body })
    at = end + 4 + length
  }
  return answers
}
