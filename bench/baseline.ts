import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { removeFolder, type Running, startListening, temporaryFolder } from './processes.ts'

const FOLDER = join(import.meta.dir, 'baseline')

/**
 * Starts the afternoon's script on Node, sending to `peer`. Installs what it needs on first use, which takes minutes
 * where better-sqlite3 has to be compiled. Rejects where there is no Node or no way to install.
 */
export async function startBaseline(peer: string, say: (text: string) => void): Promise<Running> {
  await install(say)
  const folder = temporaryFolder()
  const command = ['node', join(FOLDER, 'server.js'), join(folder, 'webhooks.db'), peer]
  return startListening(command, () => removeFolder(folder))
}

async function install(say: (text: string) => void): Promise<void> {
  const sqlite = join(FOLDER, 'node_modules', 'better-sqlite3')
  if (existsSync(join(sqlite, 'build', 'Release', 'better_sqlite3.node'))) return
  say('installing the baseline: fastify and better-sqlite3, once')
  const child = Bun.spawn(['npm', 'ci', '--no-audit', '--no-fund'], {
    cwd: FOLDER,
    stdout: 'ignore',
    stderr: 'pipe',
  })
  const errors = await child.stderr.text()
  if ((await child.exited) !== 0) throw new Error(`installing bench/baseline failed: ${errors.slice(-1000)}`)
}
