"""A plugin that writes down what reaches it: whatever is lost or happens twice can be counted."""
