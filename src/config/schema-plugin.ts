import { type Static, Type } from '@sinclair/typebox'
import { DEFAULTS } from './defaults.ts'
import { anyMapping, closed, duration, flag, optional, size, text } from './schema-fields.ts'

const Permissions = Type.Object(
  {
    env: optional(
      Type.Array(text('The name of an environment variable.'), {
        uniqueItems: true,
        description: 'Environment variables that it may read.',
        examples: [['NPS_LABEL']],
      }),
    ),
    time: optional(flag(false, 'True grants the clock: Date.now() and new Date().')),
    random: optional(flag(false, 'True grants Math.random() and crypto.randomUUID().')),
    net: optional(
      Type.Array(text('A host, with a port where it is not the usual one.'), {
        uniqueItems: true,
        description: 'Hosts that it may fetch from.',
        examples: [['api.example.com', 'localhost:9000']],
      }),
    ),
  },
  { ...closed, description: 'What it may use in the sandbox; nothing is granted that is not named.' },
)

/** A plugin, as the file writes it. */
export const PluginFields = Type.Object(
  {
    path: text('The TypeScript or JavaScript module, relative to this file.', {
      examples: ['./plugins/nps-category.ts'],
    }),
    timeout: optional(
      duration('The longest one call may take.', '1ms', '1m', { default: DEFAULTS.pluginTimeout }),
    ),
    memory: optional(
      size('The most memory it may use in the sandbox.', '4GB', {
        default: DEFAULTS.pluginMemory,
        bounds: { atLeast: '1MB', atMost: '4GB' },
      }),
    ),
    trusted: optional(
      flag(false, 'True runs it outside the sandbox, with all that the daemon itself may do.'),
    ),
    permissions: optional(Permissions),
    options: optional(anyMapping('Handed to the plugin as context.options.')),
  },
  { ...closed, description: 'A plugin that tenants can name.' },
)
export type PluginFields = Static<typeof PluginFields>
