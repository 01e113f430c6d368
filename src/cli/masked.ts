import { dirname, resolve } from 'node:path'
import { LARGEST_FILE } from '../config/load.ts'
import { readText } from '../config/reading/read-text.ts'
import type { Configuration } from '../contracts/configuration.ts'
import type { CommandContext } from './context.ts'

/** A shorter one is a placeholder, and a word that may stand anywhere. */
const SHORTEST_SECRET = 6

/**
 * Masks texts that hold secrets: rules may be told with the expressions that a variable is part of, and a plugin may
 * say anything.
 */
export class SecretMask {
  readonly #secrets: readonly string[]

  /** Knows the secrets of a configuration, and whatever else its files take from outside with `${…}`. */
  constructor(configuration: Configuration, environment: CommandContext['environment']) {
    const values = [...secretsOf(configuration), ...referencesOf(configuration, environment)]
    const long = values.filter(({ length }) => length >= SHORTEST_SECRET)
    // As they stand in JSON, too. One that holds another goes first.
    const written = new Set(long.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]))
    this.#secrets = [...written].toSorted((one, other) => other.length - one.length)
  }

  text(text: string): string {
    return this.#secrets.reduce((masked, secret) => masked.replaceAll(secret, '***'), text)
  }

  /** The context, with every secret masked in what is printed. */
  context(context: CommandContext): CommandContext {
    return {
      ...context,
      print: (line) => context.print(this.text(line)),
      printError: (line) => context.printError(this.text(line)),
    }
  }
}

function secretsOf({ server, tenants, plugins }: Configuration): string[] {
  const ofTenants = [...tenants.values()].flatMap(({ refiner, segment, privacy }) => [
    privacy?.salt,
    refiner.apiKey,
    refiner.webhook?.secret,
    segment.writeKey,
    segment.sharedSecret,
    ...segment.destinationKeys,
  ])
  const ofPlugins = [...plugins.values()].flatMap(({ permissions }) => [...permissions.env.values()])
  return [server.adminToken, ...ofTenants, ...ofPlugins].filter(
    (secret) => secret !== null && secret !== undefined,
  )
}

const REFERENCE = /\$\{(?:file:([^}\n]+)|([A-Za-z_]\w*))\}/g

/** What `${NAME}` and `${file:PATH}` stand for in the files of a configuration. */
function referencesOf({ files }: Configuration, environment: CommandContext['environment']): string[] {
  return files.flatMap((file) => {
    const read = readText(file, LARGEST_FILE)
    if (!read.ok) return []
    return [...read.text.matchAll(REFERENCE)].flatMap(([, path, name]) => {
      if (path === undefined) return environment[name!] ?? []
      const secret = readText(resolve(dirname(file), path), LARGEST_FILE)
      return secret.ok ? secret.text.trim() : []
    })
  })
}
