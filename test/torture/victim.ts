import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FaultyDisk, faultyDisk } from '../support/faulty-disk.ts'
import { type Program, run, type Running } from '../support/process.ts'
import { TENANTS } from './senders.ts'

export const ADMIN_TOKEN = 'torture-admin-token'

export interface VictimOptions {
  readonly program: Program
  readonly peers: { readonly segment: string; readonly refiner: string }
  /** Whether its disk can be made to fail. */
  readonly faultyDisk: boolean
}

/** What a reload finds changed. */
export interface Changes {
  readonly rate?: string
  readonly keepDelivered?: string
}

/** The daemon that is killed and started again, always on the same folder. */
export class Victim {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'refiner-sync-torture-')))
  readonly database = join(this.folder, 'data', 'refiner-sync.db')
  readonly disk: FaultyDisk | null
  /** What it said when it ended without having been killed. */
  readonly crashes: string[] = []
  #running: Running | null = null
  /** Kept until one listens: whoever waits for it waits for the next one too, when this one is killed before. */
  #url = Promise.withResolvers<string>()
  #isUp = false
  #killed = false

  constructor(private readonly options: VictimOptions) {
    this.disk = options.faultyDisk ? faultyDisk(this.database) : null
    this.disk?.set({})
    this.configure({})
  }

  /** Writes its configuration; what was delivered must be kept for less than old-rows.ts makes it older by. */
  configure({ rate = '1000/s', keepDelivered = '30d' }: Changes): void {
    writeFileSync(join(this.folder, 'refiner-sync.yaml'), yaml(this.options.peers, rate, keepDelivered))
  }

  /** Where it listens, as soon as it does; after it was killed, where the next one does. */
  up = (): Promise<string> => this.#url.promise

  start(): void {
    this.#killed = false
    const running = run(this.options.program, ['serve'], this.folder, {
      ADMIN_TOKEN,
      ...this.disk?.env,
    })
    this.#running = running
    void this.#watch(running)
  }

  signal(signal: 'SIGHUP'): void {
    this.#running?.process.kill(signal)
  }

  /** Answers the exit code once it is gone. */
  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const running = this.#running
    if (running === null) return null
    this.#killed = true
    running.process.kill(signal)
    const code = await running.process.exited
    if (this.#isUp) this.#url = Promise.withResolvers()
    this.#isUp = false
    this.#running = null
    return code
  }

  remove(): void {
    this.disk?.[Symbol.dispose]()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #watch(running: Running): Promise<void> {
    void running.url().then(
      (url) => this.#listens(running, url),
      () => {},
    )
    const code = await running.process.exited
    if (running !== this.#running || this.#killed) return
    this.crashes.push(`exit ${code}: ${(await running.whole()).slice(-2000)}`)
  }

  #listens(running: Running, url: string): void {
    if (running !== this.#running || this.#killed) return
    this.#isUp = true
    this.#url.resolve(url)
  }
}

function yaml(peers: VictimOptions['peers'], rate: string, keepDelivered: string): string {
  const tenants = TENANTS.map(
    (tenant) => `
  ${tenant}:
    refiner:
      api_key: ${tenant}-refiner-key
      endpoint: ${peers.refiner}
      webhook: { secret: ${tenant}-webhook-secret, in: bearer }
      rate_limit: ${rate}
    segment:
      write_key: ${tenant}-write-key
      endpoint: ${peers.segment}
      destination_keys: [${tenant}-destination-key]`,
  )
  return `
server: { port: 0, admin_token: "\${ADMIN_TOKEN}" }
database: sqlite://./data/refiner-sync.db
retention: { delivered: ${keepDelivered}, dead: 90d }
delivery: { min_backoff: 20ms, max_backoff: 200ms, timeout: 1s }
tenants:${tenants.join('')}
`
}
