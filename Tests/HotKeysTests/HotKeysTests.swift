// HotKeys
