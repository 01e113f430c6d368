/**
 * How fast messages are taken in durably, next to the limit: a bare Bun.serve that parses the same bytes and answers.
 * Both run in this process' children, in the same run, under the same load; the ratio is what counts.
 *
 *   bun run bench
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { completedSurvey } from '../test/fixtures/refiner-webhook.ts'

const CONNECTIONS = 64
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 4)
const ROUNDS = 3

const MAIN = join(import.meta.dir, '..', 'src', 'main.ts')
const BARE = `
const server = Bun.serve({ port: 0, async fetch(request) { await request.json(); return Response.json({ success: true }) } })
console.log('http://127.0.0.1:' + server.port)`

interface Case {
  readonly name: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: (n: number) => string
}

const cases: Case[] = [
  {
    name: 'Segment message in (0.5 KB)',
    path: '/v1/segment',
    headers: { authorization: `Basic ${btoa('bench-destination-key:')}` },
    body: (n) =>
      JSON.stringify({
        type: 'track',
        userId: `user-${n % 1000}`,
        event: 'Clicked',
        messageId: crypto.randomUUID(),
        timestamp: '2024-05-01T00:00:00.000Z',
        properties: { text: 'x'.repeat(280) },
        context: { library: { name: 'bench', version: '1' } },
      }),
  },
  {
    name: 'Refiner webhook in (2 KB)',
    path: '/v1/refiner/bench',
    headers: { authorization: 'Bearer bench-webhook-secret' },
    body: (n) =>
      JSON.stringify(
        completedSurvey({
          remote_id: `user-${n % 1000}`,
          uuid: crypto.randomUUID(),
          display_name: 'x'.repeat(400),
        }),
      ),
  },
]

async function startBare(): Promise<{ url: string; stop(): void }> {
  return started(Bun.spawn([process.execPath, '-e', BARE], { stdout: 'pipe' }))
}

/** A daemon whose destinations are closed ports: only the way in is measured. */
async function startDaemon(folder: string): Promise<{ url: string; stop(): void }> {
  const yaml = `
server: { port: 0 }
tenants:
  bench:
    refiner: { api_key: k, endpoint: "http://127.0.0.1:9", webhook: { secret: bench-webhook-secret } }
    segment: { write_key: w, endpoint: "http://127.0.0.1:9", destination_keys: [bench-destination-key] }
`
  await Bun.write(join(folder, 'refiner-sync.yaml'), yaml)
  const args = ['serve', '--config', join(folder, 'refiner-sync.yaml')]
  const child = Bun.spawn([process.execPath, MAIN, ...args], { stdout: 'pipe' })
  return started(child)
}

async function started(
  child: Bun.Subprocess<'ignore', 'pipe', 'inherit'>,
): Promise<{ url: string; stop(): void }> {
  let text = ''
  for await (const chunk of child.stdout) {
    text += new TextDecoder().decode(chunk)
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0]
    if (url) return { url, stop: () => child.kill('SIGKILL') }
  }
  throw new Error(`it did not start: ${text}`)
}

/** Answers per second, all of them 200. */
async function measure(url: string, { path, headers, body }: Case): Promise<number> {
  const end = performance.now() + SECONDS * 1000
  let answered = 0
  const connection = async (n: number) => {
    while (performance.now() < end) {
      const response = await fetch(url + path, { method: 'POST', headers, body: body(n + answered) })
      if (response.status !== 200)
        throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
      await response.arrayBuffer()
      answered += 1
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, n) => connection(n)))
  return answered / SECONDS
}

const rows: Record<string, string | number>[] = []
for (const one of cases) {
  const rates: { bare: number; ours: number }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const bare = await startBare()
    const bareRate = await measure(bare.url, one)
    bare.stop()
    const folder = mkdtempSync(join(tmpdir(), 'refiner-sync-bench-'))
    const daemon = await startDaemon(folder)
    const ourRate = await measure(daemon.url, one)
    daemon.stop()
    rmSync(folder, { recursive: true, force: true })
    rates.push({ bare: bareRate, ours: ourRate })
  }
  const ratios = rates.map(({ bare, ours }) => ours / bare).toSorted((a, b) => a - b)
  const median = (values: number[]) =>
    Math.round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!)
  rows.push({
    case: one.name,
    'bare Bun.serve/s': median(rates.map(({ bare }) => bare)),
    'refiner-sync/s, durable': median(rates.map(({ ours }) => ours)),
    'ratio (median of rounds)': ratios[Math.floor(ratios.length / 2)]!.toFixed(2),
  })
}
console.table(rows)
