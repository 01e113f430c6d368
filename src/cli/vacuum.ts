import { existsSync, statSync } from 'node:fs'
import { readDatabaseAddress } from '../config/database-address.ts'
import { mendHeads } from '../store/heads.ts'
import { openStore } from '../store/open.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import { failureText, inBytes } from './inspection.ts'

/** Rewrites the database without gaps; from then on it shrinks by itself. Needs the daemon stopped. */
export async function vacuum(
  { config, json }: { config: string; json: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  try {
    const path = readDatabaseAddress(config, context.environment)
    if (!existsSync(path)) throw new Error(`there is no database ${path}`)
    const before = statSync(path).size
    const store = await openStore(path)
    try {
      mendHeads(store)
      store.sqlite.run('vacuum')
    } finally {
      store.close()
    }
    const after = statSync(path).size
    if (json) context.print(JSON.stringify({ ok: true, file: path, before, after }, null, 2))
    else context.print(`${path}: ${inBytes(before)} before, ${inBytes(after)} now`)
    return EXIT.ok
  } catch (error) {
    const message = failureText(error)
    if (json) context.print(JSON.stringify({ ok: false, error: message }, null, 2))
    else context.printError(`not vacuumed: ${message}`)
    return EXIT.failure
  }
}
