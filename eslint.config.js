import prettier from 'eslint-config-prettier'
import neostandard, { resolveIgnoresFromGitignore } from 'neostandard'
import tseslint from 'typescript-eslint'

const typescript = ['**/*.ts']
const domain = [
  'accounts',
  'audit',
  'clients',
  'database',
  'incidents',
  'operators',
  'passwords',
  'revocation',
  'sessions',
  'tokens'
].map((folder) => `src/${folder}/**/*.ts`)

export default [
  ...neostandard({ ts: true, noStyle: true, ignores: resolveIgnoresFromGitignore() }),
  ...tseslint.configs.recommendedTypeCheckedOnly.map((config) => ({
    ...config,
    files: typescript
  })),
  {
    files: typescript,
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname }
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      // Says that a promise is left to itself on purpose; it must not be able to reject.
      'no-void': ['error', { allowAsStatement: true }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // A Fastify plugin is async even when it awaits nothing.
      '@typescript-eslint/require-await': 'off'
    }
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/config.ts', 'src/server.ts', 'src/cli/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only config.ts reads the environment.' }
      ]
    }
  },
  {
    files: domain,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: [
                'fastify',
                'fastify-plugin',
                '@fastify/*',
                '**/plugins/*',
                '**/routes/*',
                '**/http/*',
                '**/http-server.js',
                '**/problems.js'
              ],
              message: 'The domain knows nothing of HTTP.'
            }
          ]
        }
      ]
    }
  },
  {
    files: ['src/revocation/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: [
                'fastify',
                'fastify-plugin',
                '@fastify/*',
                '**/plugins/*',
                '**/routes/*',
                '**/http/*',
                '**/http-server.js',
                '**/problems.js',
                '**/accounts/*',
                '**/sessions/*'
              ],
              message: 'revocation/ knows neither HTTP nor accounts and sessions.'
            }
          ]
        }
      ]
    }
  },
  {
    files: ['test/**/*.ts'],
    // tap queues t.test() itself.
    rules: { '@typescript-eslint/no-floating-promises': 'off' }
  },
  prettier
]
