import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What the benchmarks share: programs in processes of their own, and load on loopback. */

/** Connections under load at once. */
export const CONNECTIONS = 64
/** Of each measurement; BENCH_SECONDS changes it. */
export const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 4)

const MAIN = join(import.meta.dir, '..', 'src', 'main.ts')

export interface Running {
  readonly url: string
  stop(): void
}

export const WEBHOOK_HEADERS = { authorization: 'Bearer bench-webhook-secret' }
export const SEGMENT_HEADERS = { authorization: `Basic ${btoa('bench-destination-key:')}` }

/** Starts a program from its source text; it prints its URL first. */
export function startScript(source: string): Promise<Running> {
  return started(Bun.spawn([process.execPath, '-e', source], { stdout: 'pipe' }), () => {})
}

/** Starts a daemon with a fresh database that sends to `peer`, at up to `rate` requests. */
export async function startDaemon(peer: string, rate: string): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'refiner-sync-bench-'))
  const yaml = `
server: { port: 0 }
tenants:
  bench:
    refiner: { api_key: k, endpoint: "${peer}", rate_limit: ${rate}, webhook: { secret: bench-webhook-secret } }
    segment: { write_key: w, endpoint: "${peer}", rate_limit: ${rate}, destination_keys: [bench-destination-key] }
`
  const file = join(folder, 'refiner-sync.yaml')
  await Bun.write(file, yaml)
  const child = Bun.spawn([process.execPath, MAIN, 'serve', '--config', file], { stdout: 'pipe' })
  return started(child, () => rmSync(folder, { recursive: true, force: true }))
}

async function started(child: Bun.Subprocess<'ignore', 'pipe'>, cleanUp: () => void): Promise<Running> {
  const reader = child.stdout.getReader()
  let text = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) throw new Error(`it did not start: ${text}`)
    text += new TextDecoder().decode(value)
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0]
    if (url === undefined) continue
    return {
      url,
      stop() {
        child.kill('SIGKILL')
        cleanUp()
      },
    }
  }
}

/** Posts from all connections for the time of a measurement; answers how many were answered 200 a second. */
export async function load(
  url: string,
  headers: Record<string, string>,
  body: (n: number) => string,
): Promise<number> {
  const end = performance.now() + SECONDS * 1000
  let answered = 0
  let sent = 0
  const connection = async () => {
    while (performance.now() < end) {
      const response = await fetch(url, { method: 'POST', headers, body: body(sent++) })
      if (response.status !== 200) {
        throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
      }
      await response.arrayBuffer()
      answered += 1
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, connection))
  return answered / SECONDS
}

/** The value below which the share `of` of the values lies. */
export function quantile(values: readonly number[], of: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * of))]!
}
