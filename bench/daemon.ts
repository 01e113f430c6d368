import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { removeFolder, type Running, startListening, temporaryFolder } from './processes.ts'

/** Nobody listens at it. */
export const DEAD_PEER = 'http://127.0.0.1:9'

/** Requests per second that Segment takes, and the program sends unless it is told otherwise. */
const SEGMENT_RATE = 50

export const WEBHOOK_HEADERS = { Authorization: 'Bearer bench-webhook-secret' }
export const SEGMENT_HEADERS = { Authorization: `Basic ${btoa('bench-destination-key:')}` }
export const ADMIN_HEADERS = { Authorization: 'Bearer bench-admin-token' }

/** Where the daemon takes what is measured. */
export const WEBHOOK_PATH = '/v1/refiner/bench'
export const SEGMENT_PATH = '/v1/segment'

export interface DaemonOptions {
  /** How the program is started, without arguments. */
  readonly program: readonly string[]
  /** Where the tenant `bench` sends to; without it, nowhere. */
  readonly peer?: string
  /** Requests per second to each destination. */
  readonly rate?: number
  /** Where a second tenant sends to, which is called `full`; without it, there is none. */
  readonly fullPeer?: string
  /** A folder with a database that is there already; it stays. Without it, a fresh one. */
  readonly folder?: string
  /** Put at the end of the file. */
  readonly more?: string
}

/** Starts the daemon as its user does: a program with a configuration file. */
export async function startDaemon(options: DaemonOptions): Promise<Running> {
  const folder = options.folder ?? temporaryFolder()
  const file = await writeConfiguration(folder, options)
  const command = [...options.program, 'serve', '--config', file]
  return startListening(command, () => {
    if (options.folder === undefined) removeFolder(folder)
  })
}

/** The database of a folder that is given to a daemon. */
export function databaseIn(folder: string): string {
  return join(folder, 'data', 'refiner-sync.db')
}

/** Writes the configuration file into the folder; answers its path. */
export async function writeConfiguration(folder: string, options: DaemonOptions): Promise<string> {
  const { peer = DEAD_PEER, rate = 1000, fullPeer, more = '' } = options
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'refiner-sync.yaml')
  const text = `
server: { port: 0, admin_token: bench-admin-token }
database: sqlite://./data/refiner-sync.db
tenants:${tenant('bench', peer, rate)}${fullPeer === undefined ? '' : tenant('full', fullPeer, fullPeer === DEAD_PEER ? SEGMENT_RATE : rate)}
${more}`
  await Bun.write(file, text)
  return file
}

function tenant(name: string, peer: string, rate: number): string {
  return `
  ${name}:
    refiner: { api_key: k, endpoint: "${peer}", rate_limit: ${rate}/s, webhook: { secret: ${name}-webhook-secret } }
    segment: { write_key: w, endpoint: "${peer}", rate_limit: ${rate}/s, destination_keys: [${name}-destination-key] }`
}

/** Whether the program knows what is to be put at the end of the file. */
export async function understands(program: readonly string[], more: string): Promise<boolean> {
  const folder = temporaryFolder()
  try {
    const file = await writeConfiguration(folder, { program, more })
    const { exitCode, stdout, stderr } = Bun.spawnSync([...program, 'check', '--config', file])
    return exitCode === 0 && !`${stdout.toString()}${stderr.toString()}`.includes('retention')
  } finally {
    removeFolder(folder)
  }
}
