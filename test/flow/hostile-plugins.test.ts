import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { withResponse } from '../fixtures/refiner-webhook.ts'
import { ADMIN_TOKEN, startFileLoop } from '../support/file-loop.ts'
import { bearer, deadline, postTo, until } from '../support/loop.ts'

/** What the plugin does with an interaction whose answer `does` names it, and what is said of it. */
const HOSTILE: Readonly<Record<string, readonly [code: string, reason: RegExp]>> = {
  loop: ['while (true) {}', /^plugin hostile: took longer than 50ms/],
  allocate: [
    'const all = []; for (;;) all.push("x".repeat(1e5) + all.length)',
    /^plugin hostile: used more than 16MB/,
  ],
  throw: ['return interaction.nobody.nothing', /^plugin hostile: TypeError at .*hostile\.ts:\d+:\d+$/],
  garbage: ['return { type: "track" }', /^plugin hostile: returned an object/],
  trash: ['return ["track"]', /^plugin hostile: message 1 of those it returned is no object$/],
  fetch: ['return fetch("https://example.com")', /^plugin hostile: ReferenceError at/],
  process: ['return process.env', /^plugin hostile: ReferenceError at/],
  bun: ['return Bun.env', /^plugin hostile: ReferenceError at/],
  import: ['return import(["node", "fs"].join(":")).then((fs: any) => [fs])', /^plugin hostile: /],
  escape: ['return Function("return this")().process.exit(1)', /^plugin hostile: TypeError at/],
  pollute: [
    'Object.prototype.userId = "somebody else"; Object.prototype.leaked = true; JSON.parse = () => 0; throw new Error("done")',
    /^plugin hostile: Error at/,
  ],
  regex: [
    'return /^(a+)+$/.test("a".repeat(60) + "!") ? messages : messages',
    /^plugin hostile: took longer/,
  ],
}

const source = () => `
import type { Plugin } from './nowhere.d.ts'
export default {
  name: 'hostile',
  transform(interaction: any, messages: any): any {
    switch (interaction.answers.does) {
${Object.entries(HOSTILE)
  .map(([name, [code]]) => `      case '${name}': {\n        ${code}\n      }`)
  .join('\n')}
    }
    return messages
  },
} satisfies Plugin
`
const MENDED = `export default { name: 'hostile', transform: (_: unknown, messages: unknown) => messages }`

const settings = {
  tenants: { acme: { plugins: ['hostile'] }, globex: {} },
  more: 'plugins: { hostile: { path: ./hostile.ts, timeout: 50ms, memory: 16MB } }\n',
}

interface Listed {
  readonly id: number
  readonly reason: string
}

test('a hostile plugin costs its own deliveries, which go out once it is mended', async () => {
  await using loop = await startFileLoop(settings, { files: { 'hostile.ts': source() } })
  const { url } = loop.daemon
  const api = async <T>(path: string, method = 'GET') =>
    (await (await fetch(url + path, { method, headers: bearer(ADMIN_TOKEN) })).json()) as T
  const answer = (tenant: string, user: string, does: string) =>
    postTo(
      url,
      `/v1/refiner/${tenant}`,
      withResponse({ uuid: `${user}-${does}`, data: { does } }, { remote_id: user, account: null }),
      bearer(`${tenant}-webhook-secret`),
    )
  const cases = Object.keys(HOSTILE)
  for (const does of cases) {
    expect((await answer('acme', `user-${does}`, does)).status).toBe(200)
    expect((await answer('acme', `good-${does}`, 'nothing')).status).toBe(200)
    expect((await answer('globex', `other-${does}`, 'nothing')).status).toBe(200)
  }

  // Everything else flows, and the daemon answers, while the plugin does its worst.
  let answered = 0
  await until(async () => {
    const { status } = await fetch(`${url}/health`)
    answered += status === 200 ? 1 : 0
    return loop.segment.messages.length === cases.length * 4
  }, deadline())
  expect(answered).toBeGreaterThan(0)
  const users = () => new Set(loop.segment.messages.map(({ message }) => String(message['userId'])))
  expect(users()).toEqual(new Set(cases.flatMap((does) => [`good-${does}`, `other-${does}`])))
  expect(JSON.stringify(loop.segment.messages)).not.toContain('leaked')

  await until(() => loop.daemon.health().tenants['acme']!.dead === cases.length, deadline())
  const deliveries = await api<Listed[]>('/api/deliveries?state=dead&limit=100')
  expect(deliveries).toHaveLength(cases.length)
  for (const [, reason] of Object.values(HOSTILE)) {
    expect(deliveries.filter((delivery) => reason.test(delivery.reason)).length).toBeGreaterThan(0)
  }
  expect(loop.log.filter((line) => line.includes('plugin hostile')).length).toBeGreaterThan(0)

  writeFileSync(join(dirname(loop.file), 'hostile.ts'), MENDED)
  expect(await api('/api/reload', 'POST')).toMatchObject({ ok: true })
  expect(await api('/api/deliveries/replay?state=dead&tenant=acme', 'POST')).toMatchObject({
    remapped: cases.length,
  })
  await loop.segment.until((messages) => messages.length === cases.length * 6, deadline())
  expect([...users()].filter((user) => user.startsWith('user-')).toSorted()).toEqual(
    cases.map((does) => `user-${does}`).toSorted(),
  )
  await until(() => loop.daemon.health().tenants['acme']!.dead === 0)
}, 30_000)
