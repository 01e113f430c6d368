import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { demo, type DemoOptions } from '../../src/cli/demo.ts'
import { runHere } from '../support/in-process.ts'
import { until as untilHolds } from '../support/loop.ts'

const usualTmpdir = process.env.TMPDIR
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'demo-test-'))
  process.env.TMPDIR = folder
})

afterEach(() => {
  if (usualTmpdir === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = usualTmpdir
  rmSync(folder, { recursive: true })
})

/** Runs the demo; `until` resolves with the output so far as soon as a line contains the text. */
function run(options: Partial<DemoOptions> = {}, colours = false) {
  const lines: string[] = []
  const stop = Promise.withResolvers<void>()
  const waiting = new Map<string, PromiseWithResolvers<void>>()
  const exitCode = demo(
    { port: 0, once: false, ...options },
    {
      print(line) {
        lines.push(line)
        for (const [text, { resolve }] of waiting) if (line.includes(text)) resolve()
      },
      colours,
      stopped: stop.promise,
    },
  )
  return {
    lines,
    exitCode,
    stop: () => stop.resolve(),
    until: (text: string) => {
      const told = Promise.withResolvers<void>()
      waiting.set(text, told)
      if (lines.some((line) => line.includes(text))) told.resolve()
      return told.promise
    },
  }
}

test('plays to the end, shows each call, and leaves nothing behind', async () => {
  const { exitCode, lines } = run({ once: true })
  expect(await exitCode).toBe(0)
  const calls = lines.filter((line) => line.startsWith('       → '))
  const told = calls.map((line) => line.trim().split(/\s+/).slice(1, 4).join(' '))
  expect(told).toEqual([
    'Segment identify user-1042',
    'Segment group user-1042',
    'Segment track user-1042',
    'Segment identify user-2077',
    'Segment track user-2077',
    'Segment track user-3140',
    'Segment track user-4096',
    'Refiner identify-user user-1042',
    'Refiner identify-user user-1042',
    'Refiner track-event user-1042',
  ])
  expect(lines.filter((line) => line.includes('/v1/segment → 501'))).toHaveLength(1)
  expect(lines.at(-1)).toBe('  GET /health → 200 ok, 0 waiting, 0 given up')
  expect(lines.join('\n')).not.toContain('\u001b')
  expect(readdirSync(folder)).toEqual([])
})

test('stays up, and shows what a later request causes', async () => {
  const { exitCode, lines, stop, until } = run()
  await until('Ctrl-C')
  const url = /http:\/\/[\d.:]+/.exec(lines.join('\n'))?.[0]
  await fetch(`${url}/v1/segment`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('demo-destination-key:')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'identify', userId: 'user-7', traits: { plan: 'team' } }),
  })
  await until('identify-user  user-7     plan="team"')
  stop()
  expect(await exitCode).toBe(0)
  expect(readdirSync(folder)).toEqual([])
})

test('stops in the middle of the play', async () => {
  const { exitCode, stop, until } = run()
  await until('Refiner → Segment')
  stop()
  expect(await exitCode).toBe(0)
  expect(readdirSync(folder)).toEqual([])
})

test('says that a port is taken', async () => {
  const other = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() })
  const port = other.port ?? 0
  const { exitCode, lines } = run({ port, once: true })
  expect(await exitCode).toBe(1)
  expect(lines.join('\n')).toContain(`Port ${port} is taken`)
  await other.stop(true)
})

test('has colours where they are wanted', async () => {
  const { exitCode, lines } = run({ once: true }, true)
  expect(await exitCode).toBe(0)
  expect(lines.join('\n')).toContain('\u001b[')
})

test('what Refiner knows of the months before can be brought over', async () => {
  const { exitCode, lines, stop, until } = run()
  await until('Your turn')
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(lines.join('\n'))![0]
  const backfill = (...more: string[]) =>
    runHere(['backfill', '--url', url, '--tenant', 'acme', '--since', '120d', ...more], folder, {
      REFINER_SYNC_ADMIN_TOKEN: 'demo-admin-token',
    })
  const tried = await backfill('--dry-run')
  expect(tried).toMatchObject({ code: 0, stderr: '' })
  expect(tried.stdout).toContain('8 responses read: 8 would be taken')
  const before = lines.length
  expect(await backfill()).toMatchObject({ code: 0 })
  const tracks = () => lines.slice(before).filter((line) => /→ Segment +track/.test(line))
  await untilHolds(() => tracks().length === 16)
  stop()
  expect(await exitCode).toBe(0)
})
