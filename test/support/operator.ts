import { runProgram } from '../../src/cli/program.ts'
import { bearer, type Loop } from './loop.ts'

export const ADMIN_TOKEN = 'the-admin-token'

export interface Asked<Body> {
  readonly status: number
  readonly body: Body
  readonly headers: Headers
}

/** Asks the operator's API of a daemon that takes `ADMIN_TOKEN`. */
export async function ask<Body>(loop: Loop, path: string): Promise<Asked<Body>> {
  const response = await fetch(loop.daemon.url + path, { headers: bearer(ADMIN_TOKEN) })
  return { status: response.status, body: (await response.json()) as Body, headers: response.headers }
}

/** Runs a command against the daemon, and answers what it prints. */
export async function command(loop: Loop, args: readonly string[]) {
  const [out, errors]: [string[], string[]] = [[], []]
  const end = args.includes('--') ? args.indexOf('--') : args.length
  const code = await runProgram([...args.slice(0, end), '--url', loop.daemon.url, ...args.slice(end)], {
    environment: { REFINER_SYNC_ADMIN_TOKEN: ADMIN_TOKEN },
    print: (line) => void out.push(line),
    printError: (line) => void errors.push(line),
    terminal: false,
    stopped: new Promise(() => {}),
    onHangup() {},
  })
  return { code, stdout: out.join('\n'), stderr: errors.join('\n') }
}
