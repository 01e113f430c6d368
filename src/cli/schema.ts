import { jsonSchema } from '../config/json-schema.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'

export const SCHEMAS = ['config', 'plugin'] as const
export type SchemaName = (typeof SCHEMAS)[number]

/** Prints the JSON schema of refiner-sync.yaml, or the TypeScript contract of plugins. */
export async function schema(name: SchemaName, context: CommandContext): Promise<ExitCode> {
  switch (name) {
    case 'config':
      context.print(JSON.stringify(jsonSchema(), null, 2))
      return EXIT.ok
    case 'plugin':
      context.print((await pluginContract()).trimEnd())
      return EXIT.ok
  }
}

/** The contract's own text: it is built into the program. */
async function pluginContract(): Promise<string> {
  const module: unknown = await import('../contracts/plugin.ts', { with: { type: 'text' } })
  return (module as { readonly default: string }).default
}
