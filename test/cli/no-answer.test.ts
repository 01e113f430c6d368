import { expect, test } from 'bun:test'
import { SELF_SIGNED } from '../fixtures/self-signed.ts'
import { ACME, commandFolder } from './command.ts'

const REDIRECT = () => new Response(null, { status: 302, headers: { location: 'https://elsewhere.example' } })

test.each<[what: string, server: Parameters<typeof Bun.serve>[0], said: string]>([
  [
    'a certificate that nobody vouches for',
    { tls: SELF_SIGNED, fetch: () => Response.json({}) },
    'its certificate is not trusted',
  ],
  ['a redirect', { fetch: REDIRECT }, 'it redirects to elsewhere'],
  ['a web page', { fetch: () => new Response('<html>') }, 'what answers there is no refiner-sync'],
  ['null', { fetch: () => Response.json(null) }, ''],
])('%s at the URL of the daemon is not told as nothing that listens', async (_, settings, said) => {
  const server = Bun.serve({ port: 0, ...settings } as Parameters<typeof Bun.serve>[0])
  using folder = commandFolder({ 'refiner-sync.yaml': ACME })
  try {
    const args = ['--url', server.url.href]
    const env = { REFINER_SYNC_ADMIN_TOKEN: 'the-admin-token' }
    for (const command of ['status', 'doctor']) {
      const { code, stderr } = await folder.run([command, ...args], { env })
      expect(code).toBe(1)
      expect(stderr).not.toContain('nothing listens')
      expect(stderr).toContain(said)
    }
  } finally {
    await server.stop(true)
  }
})
