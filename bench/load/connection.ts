import type { Socket } from 'bun'

/**
 * One HTTP/1.1 connection that is kept alive, on a raw socket: a request is bytes that are ready, an answer is its status
 * line and as many bytes as its Content-Length says. Nothing else is read, so that what it costs is next to nothing
 * beside what the server does.
 */
export class Connection {
  /** What the socket has not taken yet. */
  #unsent: Uint8Array | null = null
  /** The start of an answer whose head has not come whole. */
  #head: Buffer | null = null
  #status = 0
  /** Bytes of the body that are still to come. */
  #bodyLeft = 0
  #socket: Socket | null = null

  private constructor(
    private readonly onAnswer: (connection: Connection, status: number) => void,
    private readonly onFault: (error: Error) => void,
  ) {}

  /** `onAnswer` is called after each whole answer; `onFault` when the connection ends or makes no sense. */
  static async open(
    url: URL,
    onAnswer: (connection: Connection, status: number) => void,
    onFault: (error: Error) => void,
  ): Promise<Connection> {
    const connection = new Connection(onAnswer, onFault)
    connection.#socket = await Bun.connect({
      hostname: url.hostname,
      port: Number(url.port),
      socket: {
        data: (_, bytes) => connection.#receive(bytes),
        drain: () => connection.#flush(),
        close: () => onFault(new Error(`${url.host} closed a connection`)),
        error: (_, error) => onFault(error),
      },
    })
    return connection
  }

  /** The bytes must stay as they are until the answer has come. One request at a time. */
  send(request: Uint8Array): void {
    this.#unsent = request
    this.#flush()
  }

  close(): void {
    this.#socket?.terminate()
  }

  #flush(): void {
    if (this.#unsent === null || this.#socket === null) return
    const written = this.#socket.write(this.#unsent)
    this.#unsent = written >= this.#unsent.length ? null : this.#unsent.subarray(written)
  }

  #receive(bytes: Buffer): void {
    if (this.#bodyLeft > 0) return this.#receiveBody(bytes.length)
    const all = this.#head === null ? bytes : Buffer.concat([this.#head, bytes])
    const end = all.indexOf('\r\n\r\n')
    if (end === -1) {
      this.#head = Buffer.from(all)
      return
    }
    this.#head = null
    const head = all.toString('latin1', 0, end)
    const length = /content-length: (\d+)/i.exec(head)?.[1]
    if (length === undefined) return this.onFault(new Error(`an answer without Content-Length: ${head}`))
    this.#status = Number(head.slice(9, 12))
    this.#bodyLeft = Number(length)
    this.#receiveBody(all.length - end - 4)
  }

  #receiveBody(bytes: number): void {
    this.#bodyLeft -= bytes
    if (this.#bodyLeft < 0) return this.onFault(new Error('more came than one answer'))
    if (this.#bodyLeft === 0) this.onAnswer(this, this.#status)
  }
}
