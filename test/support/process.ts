import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Subprocess } from 'bun'
import { deadline, until } from './loop.ts'

const ROOT = join(import.meta.dir, '..', '..')

/** How the program is started: from its sources, or the compiled binary. */
export type Program = readonly string[]
export const FROM_SOURCE: Program = [process.execPath, join(ROOT, 'src', 'main.ts')]

/** The binary that `bun run test` has built; null where a test is run without it, by `bun test FILE`. */
export const BINARY = given('REFINER_SYNC_TEST_BINARY')

/** The program as most tests start it: the binary is ready in a third of the time. */
export const PROGRAM: Program = BINARY === null ? FROM_SOURCE : [BINARY]

function given(variable: string): string | null {
  const path = process.env[variable]
  return path === undefined || path === '' ? null : resolve(ROOT, path)
}

/** A folder with a refiner-sync.yaml for one tenant `acme`, removed when it is disposed of. */
export interface Workplace {
  readonly folder: string
  [Symbol.dispose](): void
}

export function workplace(peers: { segment: string; refiner: string }): Workplace {
  const folder = mkdtempSync(join(tmpdir(), 'refiner-sync-process-'))
  const yaml = `
server: { port: 0 }
database: sqlite://./data/refiner-sync.db
delivery: { min_backoff: 20ms, max_backoff: 200ms, timeout: 2s }
tenants:
  acme:
    refiner:
      api_key: "\${ACME_REFINER_API_KEY}"
      endpoint: ${peers.refiner}
      webhook: { secret: acme-webhook-secret, in: bearer }
      rate_limit: 1000/s
    segment:
      write_key: acme-write-key
      endpoint: ${peers.segment}
      destination_keys: [acme-destination-key]
`
  writeFileSync(join(folder, 'refiner-sync.yaml'), yaml)
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

/** The program at work. Everything it prints is kept. */
export interface Running {
  readonly process: Subprocess
  /** What it has printed so far. */
  readonly output: () => string
  /** All that it printed, once it has ended. */
  whole(): Promise<string>
  /** Where it listens, as soon as it says so. */
  url(): Promise<string>
}

export function run(
  program: Program,
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Running {
  const child = Bun.spawn([...program, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', ACME_REFINER_API_KEY: 'acme-refiner-key', ...env },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  let output = ''
  const keep = async (stream: ReadableStream<Uint8Array>) => {
    const text = new TextDecoder()
    for await (const chunk of stream) output += text.decode(chunk, { stream: true })
  }
  const kept = Promise.all([keep(child.stdout), keep(child.stderr)])
  return {
    process: child,
    output: () => output,
    whole: () => kept.then(() => output),
    async url() {
      const found = () => /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0]
      await until(() => {
        if (child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`it ended with ${child.exitCode ?? child.signalCode}: ${output}`)
        }
        return found() !== undefined
      }, deadline())
      return found()!
    },
  }
}
