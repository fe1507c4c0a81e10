import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { RequestFailure } from './api.ts';
import { router } from './routes.tsx';
import { applyScheme } from './scheme.ts';
import './style/base.css';

applyScheme();

const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // What a person did wrong does not get better by asking again; a server that restarts does.
      retry: (count, error) => count < 2 && (!(error instanceof RequestFailure) || error.status === 0 || error.status >= 500),
      retryDelay: 1500,
      // A hospital's network without a way out is "offline" to a browser; the server is reachable all the same.
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
});

const root = document.getElementById('root');
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
}
