# SPDX-License-Identifier: Apache-2.0
"""The parts of ../serve.py: what is served (prepare), by whom (peers, processes), how it is loaded (load), what is asked (sections)."""
