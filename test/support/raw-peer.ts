import { createServer, type Socket } from 'node:net'

/** What is done to the socket of a request, once it has been read. */
export type Act = (socket: Socket) => void

/** A peer made of bare sockets, that can break HTTP in ways a server cannot. */
export interface RawPeer extends AsyncDisposable {
  /** `http://127.0.0.1:49152` */
  readonly url: string
  /** Requests so far. */
  readonly requests: number
  /** The bodies that were answered well, in order. */
  readonly taken: readonly string[]
}

/** Goes through these acts, one a request, and then answers 200. */
export async function startRawPeer(script: readonly Act[]): Promise<RawPeer> {
  const left = [...script]
  const taken: string[] = []
  const sockets = new Set<Socket>()
  let requests = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      const body = readBody(text)
      if (body === null) return
      text = ''
      requests += 1
      const act = left.shift()
      if (act !== undefined) return act(socket)
      taken.push(Buffer.from(body, 'latin1').toString())
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    get requests() {
      return requests
    },
    taken,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** The body of a request that is there as a whole; null before. */
function readBody(text: string): string | null {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return null
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
  const body = text.slice(end + 4)
  return body.length >= length ? body : null
}
