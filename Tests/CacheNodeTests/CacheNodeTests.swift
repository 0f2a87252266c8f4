// CacheNodeTests
