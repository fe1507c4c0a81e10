/** Builds the console into console/dist: `node_modules/.bin/vite build --config console/vite.config.ts`. */
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));

export default defineConfig({
  root: here,
  base: '/console/',
  // Nothing is copied or read from the environment: the same sources give the same pages.
  publicDir: false,
  envDir: false,
  plugins: [react()],
  css: { modules: { generateScopedName: '[name]-[local]-[hash:base64:5]' } },
  build: {
    outDir: fileURLToPath(new URL('dist', import.meta.url)),
    emptyOutDir: true,
    target: 'es2023',
    // The polyfill would be an inline script in spirit: the policy forbids what it does.
    modulePreload: { polyfill: false },
    // Fonts and images inline would need `data:` in the policy.
    assetsInlineLimit: 0,
    sourcemap: false,
    reportCompressedSize: false,
    // One file: it comes from the same room, and the words of findings bring the data dictionary with them.
    chunkSizeWarningLimit: 1024,
    // How long a busy machine took says nothing about the pages.
    rolldownOptions: { checks: { pluginTimings: false } },
  },
});
